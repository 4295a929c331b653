package deidfhir.hapi;

import ca.uhn.fhir.jpa.api.config.JpaStorageSettings.ClientIdStrategyEnum;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The positions a client test wants to choose, bound from system properties {@code hapi.*}.
 *
 * @param searchCacheMillis how long a search result is reused; 0 switches the reuse off
 * @param basicAuth {@code user:password}, or empty for an open server
 */
@ConfigurationProperties("hapi")
public record Switches(
        @DefaultValue("ALPHANUMERIC") ClientIdStrategyEnum clientIdStrategy,
        @DefaultValue("true") boolean integrityOnWrite,
        @DefaultValue("true") boolean integrityOnDelete,
        @DefaultValue("false") boolean createPlaceholders,
        @DefaultValue("false") boolean retryConflicts,
        @DefaultValue("false") boolean validateRequests,
        @DefaultValue("false") boolean partitions,
        @DefaultValue("true") boolean deletes,
        @DefaultValue("60000") long searchCacheMillis,
        @DefaultValue("") String basicAuth) {}
