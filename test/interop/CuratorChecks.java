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
      try {
        each.getValue().run("/curator/" + name);
        System.out.println("ok " + name);
      } catch (Throwable error) {
        System.out.println("fail " + name + ": " + error);
      }
    }
    a.close();
    b.close();
    System.out.println("done " + checks.size());
    System.exit(0);
  }
}
