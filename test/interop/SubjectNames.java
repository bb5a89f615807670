import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.HexFormat;
import javax.security.auth.x500.X500Principal;

/** Lines in: `d HEX`, a name in DER, or `p HEX`, a name as text in UTF-8. Lines out: `ok`, of the first with the text in hexadecimal, or `no`. */
public class SubjectNames {
  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    PrintStream out = new PrintStream(System.out, false, "UTF-8");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      byte[] bytes = HexFormat.of().parseHex(line.substring(2));
      try {
        if (line.charAt(0) == 'd') {
          String name = new X500Principal(bytes).getName();
          out.println("ok " + HexFormat.of().formatHex(name.getBytes("UTF-8")));
        } else {
          new X500Principal(new String(bytes, "UTF-8"));
          out.println("ok");
        }
      } catch (RuntimeException error) {
        out.println("no");
      }
    }
    out.flush();
  }
}
