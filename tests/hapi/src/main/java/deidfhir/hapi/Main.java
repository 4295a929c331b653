package deidfhir.hapi;

import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.r5.JpaR5Config;
import ca.uhn.fhir.jpa.topic.SubscriptionTopicConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.web.context.WebServerInitializedEvent;
import org.springframework.context.ApplicationListener;

/** Starts the server: {@code -Dhapi.fhir=R4|R5}, the other switches as in {@link Switches}. */
public final class Main {

    private static volatile boolean started;

    private Main() {}

    public static void main(String[] args) {
        if (Boolean.getBoolean("hapi.exit-on-stdin-eof")) {
            exitWithParent();
        }
        SpringApplication application = new SpringApplication(sources());
        application.addListeners((ApplicationListener<WebServerInitializedEvent>) Main::recordPort);
        application.run(args);
        started = true;
    }

    private static Class<?>[] sources() {
        String fhir = System.getProperty("hapi.fhir", "R4");
        return switch (fhir) {
            case "R4" -> new Class<?>[] {JpaBeans.class, Endpoint.class, JpaR4Config.class};
            case "R5" -> new Class<?>[] {
                JpaBeans.class, Endpoint.class, JpaR5Config.class, SubscriptionTopicConfig.class
            };
            default -> throw new IllegalArgumentException("hapi.fhir must be R4 or R5, not " + fhir);
        };
    }

    /**
     * The launcher holds the other end of standard input, so its end, however it came about, is
     * seen here as end of file: no server outlives a killed test run.
     */
    private static void exitWithParent() {
        Thread watcher = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {
                    // Whatever is written is of no interest.
                }
            } catch (IOException closed) {
                // The same as end of file.
            }
            if (started) {
                System.exit(0);
            }
            // An orderly exit would wait for the start to end.
            Runtime.getRuntime().halt(0);
        }, "parent-watcher");
        watcher.setDaemon(true);
        watcher.start();
    }

    /** Renamed into place, so a reader never sees half a number. */
    private static void recordPort(WebServerInitializedEvent event) {
        String target = System.getProperty("hapi.port-file");
        if (target == null) {
            return;
        }
        Path file = Path.of(target);
        Path draft = file.resolveSibling(file.getFileName() + ".tmp");
        try {
            Files.writeString(draft, Integer.toString(event.getWebServer().getPort()));
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
