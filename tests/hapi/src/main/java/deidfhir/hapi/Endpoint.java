package deidfhir.hapi;

import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.interceptor.UserRequestRetryVersionConflictsInterceptor;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.partition.PartitionManagementProvider;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.RequestValidatingInterceptor;
import ca.uhn.fhir.rest.server.interceptor.partition.RequestTenantPartitionInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.tenant.UrlBaseTenantIdentificationStrategy;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import ca.uhn.fhir.validation.IValidatorModule;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The HTTP half of the server: the FHIR servlet under /fhir and the switches that live there. */
@Configuration
public class Endpoint {

    @Bean
    public RestfulServer restfulServer(
            IFhirSystemDao<?, ?> systemDao,
            IJpaSystemProvider systemProvider,
            ResourceProviderFactory resourceProviders,
            JpaStorageSettings storageSettings,
            ISearchParamRegistry searchParams,
            IValidationSupport validationSupport,
            DatabaseBackedPagingProvider paging) {
        RestfulServer server = new RestfulServer(systemDao.getContext());
        server.registerProviders(resourceProviders.createProviders());
        server.registerProvider(systemProvider);
        server.setServerConformanceProvider(new JpaCapabilityStatementProvider(
                server, systemDao, storageSettings, searchParams, validationSupport));
        server.setPagingProvider(paging);
        return server;
    }

    @Bean
    public ServletRegistrationBean<RestfulServer> fhirServlet(
            RestfulServer server,
            Switches switches,
            IValidatorModule validator,
            PartitionSettings partitionSettings,
            PartitionManagementProvider partitionProvider) {
        if (switches.retryConflicts()) {
            server.registerInterceptor(new UserRequestRetryVersionConflictsInterceptor());
        }
        if (switches.validateRequests()) {
            server.registerInterceptor(requestValidation(validator));
        }
        if (switches.partitions()) {
            RequestTenantPartitionInterceptor byUrl = new RequestTenantPartitionInterceptor();
            byUrl.setPartitionSettings(partitionSettings);
            server.registerInterceptor(byUrl);
            server.setTenantIdentificationStrategy(new UrlBaseTenantIdentificationStrategy());
            server.registerProvider(partitionProvider);
        }
        ServletRegistrationBean<RestfulServer> servlet =
                new ServletRegistrationBean<>(server, "/fhir/*");
        servlet.setLoadOnStartup(1);
        return servlet;
    }

    private static RequestValidatingInterceptor requestValidation(IValidatorModule validator) {
        RequestValidatingInterceptor interceptor = new RequestValidatingInterceptor();
        interceptor.setValidatorModules(List.of(validator));
        interceptor.setFailOnSeverity(ResultSeverityEnum.ERROR);
        return interceptor;
    }

    @Bean
    @ConditionalOnProperty("hapi.basic-auth")
    public FilterRegistrationBean<Filter> basicAuth(Switches switches) {
        byte[] credentials = switches.basicAuth().getBytes(StandardCharsets.UTF_8);
        String expected = "Basic " + Base64.getEncoder().encodeToString(credentials);
        return new FilterRegistrationBean<>((request, response, chain) -> {
            String sent = ((HttpServletRequest) request).getHeader("Authorization");
            if (expected.equals(sent)) {
                chain.doFilter(request, response);
                return;
            }
            HttpServletResponse refusal = (HttpServletResponse) response;
            refusal.setHeader("WWW-Authenticate", "Basic realm=\"fhir\"");
            refusal.setStatus(HttpServletResponse.SC_UNAUTHORIZED);
        });
    }
}
