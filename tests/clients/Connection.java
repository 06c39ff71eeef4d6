import java.net.URI;

/** Writes what Java's oldest client gets. */
class Connection {
    public static void main(String[] arguments) throws Exception {
        try (var answer = URI.create(System.getenv("URL")).toURL().openStream()) {
            answer.transferTo(System.out);
        }
        System.out.flush();
    }
}
