import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.ZooKeeper;

/** What the checks of Curator's recipes have in common: two clients, and how something is waited for. */
class CuratorRig {
  static final long PATIENCE_MS = 30000;
  static String hosts;
  static CuratorFramework a;
  static CuratorFramework b;

  interface Check {
    void run(String path) throws Exception;
  }

  interface Condition {
    boolean holds() throws Exception;
  }

  static class Failed extends Exception {
    Failed(String why) {
      super(why);
    }
  }

  static void holds(boolean is, String what) throws Failed {
    if (!is) throw new Failed(what);
  }

  static void same(Object found, Object wanted) throws Failed {
    holds(wanted.equals(found), found + " is not " + wanted);
  }

  static void until(String what, Condition condition) throws Exception {
    long end = System.nanoTime() + PATIENCE_MS * 1000000;
    while (!condition.holds()) {
      holds(System.nanoTime() < end, "not in time: " + what);
      Thread.sleep(5);
    }
  }

  /** From here on a client sees what others were told was done: its server may be behind theirs. */
  static void catchUp(CuratorFramework client) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    client.sync().inBackground((its, event) -> done.countDown()).forPath("/");
    holds(done.await(PATIENCE_MS, TimeUnit.MILLISECONDS), "no answer to sync");
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(byte[] data) {
    return data == null ? null : new String(data, StandardCharsets.UTF_8);
  }

  static String dataAt(CuratorFramework client, String path) throws Exception {
    catchUp(client);
    return text(client.getData().forPath(path));
  }

  static final ExecutorService threads = Executors.newCachedThreadPool(run -> {
    Thread thread = new Thread(run);
    thread.setDaemon(true);
    return thread;
  });

  static CuratorFramework client() throws Exception {
    CuratorFramework client = CuratorFrameworkFactory.builder().connectString(hosts).sessionTimeoutMs(20000)
        .connectionTimeoutMs(15000).retryPolicy(new RetryNTimes(20, 200)).build();
    client.start();
    holds(client.blockUntilConnected(60, TimeUnit.SECONDS), "no connection");
    return client;
  }

  /** Ends a session at the server by another connection that has its password; its client hears that it expired. */
  static void expire(CuratorFramework client) throws Exception {
    ZooKeeper its = client.getZookeeperClient().getZooKeeper();
    CountDownLatch up = new CountDownLatch(1);
    ZooKeeper other = new ZooKeeper(hosts, 20000, event -> {
      if (event.getState() == org.apache.zookeeper.Watcher.Event.KeeperState.SyncConnected) up.countDown();
    }, its.getSessionId(), its.getSessionPasswd());
    holds(up.await(PATIENCE_MS, TimeUnit.MILLISECONDS), "the session was not taken over");
    other.close();
  }

  static final QueueSerializer<String> TEXT = new QueueSerializer<String>() {
    @Override
    public byte[] serialize(String item) {
      return bytes(item);
    }

    @Override
    public String deserialize(byte[] data) {
      return text(data);
    }
  };

  static QueueConsumer<String> taker(List<String> took) {
    return new QueueConsumer<String>() {
      @Override
      public void consumeMessage(String message) {
        took.add(message);
      }

      @Override
      public void stateChanged(CuratorFramework client, ConnectionState state) {
      }
    };
  }
}
