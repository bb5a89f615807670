import java.util.Map;
import java.util.TreeMap;

/** Recipes of Curator by two clients, each as its documentation has it: HOST:PORT,... prints ok NAME, or fail NAME: why. */
public class CuratorChecks extends CuratorRig {
  public static void main(String[] args) throws Exception {
    hosts = args[0];
    a = client();
    b = client();
    Map<String, Check> checks = new TreeMap<>();
    CuratorSight.addTo(checks);
    CuratorLocks.addTo(checks);
    for (Map.Entry<String, Check> each : checks.entrySet()) {
      String name = each.getKey();
      // a cache of Curator may be told late on a busy machine, whosever the server is: what fails is tried once more, elsewhere
      Throwable why = null;
      for (int tries = 0; tries < 2; tries++) {
        try {
          each.getValue().run("/curator" + tries + "/" + name);
          why = null;
          break;
        } catch (Throwable error) {
          System.err.println("try " + tries + " of " + name + ": " + error);
          why = error;
        }
      }
      System.out.println(why == null ? "ok " + name : "fail " + name + ": " + why);
    }
    a.close();
    b.close();
    System.out.println("done " + checks.size());
    System.exit(0);
  }
}
