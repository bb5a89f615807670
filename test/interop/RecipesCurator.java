import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.retry.RetryForever;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/** Two clients of Curator that use a recipe beside ours: HOST:PORT FOLDER RECIPE ROUNDS. */
public class RecipesCurator {
  static Path folder;

  /** A mutex that tells the node it holds. */
  static class Mutex extends InterProcessMutex {
    Mutex(CuratorFramework client, String path) {
      super(client, path);
    }

    String node() {
      return getLockPath();
    }
  }

  static void note(String file, String text) throws Exception {
    Files.write(folder.resolve(file), (text + "\n").getBytes(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  static long count(String file, String line) throws Exception {
    Path path = folder.resolve(file);
    if (!Files.exists(path)) return 0;
    return Files.readAllLines(path).stream().filter(each -> line == null || each.equals(line)).count();
  }

  static long begun(String file, String begin) throws Exception {
    if (!Files.exists(folder.resolve(file))) return 0;
    return Files.readAllLines(folder.resolve(file)).stream().filter(each -> each.startsWith(begin)).count();
  }

  static void untilBegun(String file, String begin, int count) throws Exception {
    while (begun(file, begin) < count) Thread.sleep(5);
  }

  /**
   * What is deleted without hearing of it is lost to Curator's queue, which takes the next: that one is in doubt, and no other.
   */
  static class Noting extends ZooKeeper {
    private final Map<String, byte[]> seen = new ConcurrentHashMap<>();

    Noting(String hosts, int timeout, Watcher watcher, boolean readOnly) throws IOException {
      super(hosts, timeout, watcher, readOnly);
    }

    @Override
    public byte[] getData(String path, boolean watch, Stat stat) throws KeeperException, InterruptedException {
      byte[] data = super.getData(path, watch, stat);
      seen.put(path, data);
      return data;
    }

    @Override
    public byte[] getData(String path, Watcher watcher, Stat stat) throws KeeperException, InterruptedException {
      byte[] data = super.getData(path, watcher, stat);
      seen.put(path, data);
      return data;
    }

    @Override
    public void delete(String path, int version) throws InterruptedException, KeeperException {
      try {
        super.delete(path, version);
      } catch (KeeperException.ConnectionLossException error) {
        try {
          if (path.startsWith("/queue/")) note("doubt", new String(seen.get(path)));
        } catch (Exception other) {
          throw new IllegalStateException(other);
        }
        throw error;
      }
    }
  }

  /** Being in: who else is in is looked at when the own sign is up. */
  static void inside(String kind, String name, String node) throws Exception {
    Path sign = folder.resolve("in-" + kind + "-" + name);
    Files.createFile(sign);
    try (Stream<Path> all = Files.list(folder)) {
      note("seen", all.map(each -> each.getFileName().toString()).filter(each -> each.startsWith("in-")).sorted()
          .collect(Collectors.joining(" ")));
    }
    if (node != null) note("order", node.substring(node.length() - 10));
    Thread.sleep(4);
    Files.delete(sign);
  }

  static void round(CuratorFramework client, String name, String recipe, int at) throws Exception {
    switch (recipe) {
      case "lock": {
        Mutex mutex = new Mutex(client, "/lock");
        mutex.acquire();
        inside("w", name, mutex.node());
        mutex.release();
        return;
      }
      case "readwrite": {
        InterProcessReadWriteLock lock = new InterProcessReadWriteLock(client, "/rw");
        boolean writes = at % 4 == 0;
        InterProcessMutex side = writes ? lock.writeLock() : lock.readLock();
        side.acquire();
        inside(writes ? "w" : "r", name, null);
        side.release();
        return;
      }
      case "semaphore": {
        Lease lease = new InterProcessSemaphoreV2(client, "/semaphore", 2).acquire();
        inside("s", name, null);
        lease.close();
        return;
      }
      case "latch": {
        LeaderLatch latch = new LeaderLatch(client, "/latch", name);
        latch.start();
        latch.await();
        inside("l", name, latch.getOurPath());
        latch.close();
        return;
      }
      case "counter": {
        SharedCount count = new SharedCount(client, "/counter", 0);
        count.start();
        while (!count.trySetCount(count.getVersionedValue(), count.getCount() + 1)) {
          Thread.sleep(1);
        }
        count.close();
        return;
      }
      case "queue": {
        SimpleDistributedQueue queue = new SimpleDistributedQueue(client, "/queue");
        queue.offer((name + " " + at).getBytes());
        byte[] item = queue.poll();
        if (item != null) note("took", new String(item));
        return;
      }
      case "barrier": {
        if (count("hold", "enter " + at) > 0) untilBegun("mended", "enter " + at, 1);
        DistributedDoubleBarrier barrier = new DistributedDoubleBarrier(client, "/barrier", 4);
        note("came", String.valueOf(at));
        barrier.enter();
        note("entered", at + " " + count("came", String.valueOf(at)));
        untilBegun("entered", at + " ", 4);
        if (count("hold", "leave " + at) > 0) untilBegun("mended", "leave " + at, 1);
        barrier.leave();
        note("left", String.valueOf(at));
        while (count("left", String.valueOf(at)) < 4) Thread.sleep(5);
        return;
      }
      case "group": {
        GroupMember member = new GroupMember(client, "/group", name);
        member.start();
        while (member.getCurrentMembers().size() < 4) Thread.sleep(10);
        note("group", at + " " + String.join(" ", new TreeSet<>(member.getCurrentMembers().keySet())));
        untilBegun("group", at + " ", 4);
        member.close();
        // what is closed is deleted by another thread
        while (client.checkExists().forPath("/group/" + name) != null) Thread.sleep(5);
        note("left", String.valueOf(at));
        while (count("left", String.valueOf(at)) < 4) Thread.sleep(5);
        return;
      }
      default:
        throw new IllegalArgumentException(recipe);
    }
  }

  public static void main(String[] args) throws Exception {
    folder = Path.of(args[1]);
    int rounds = Integer.parseInt(args[3]);
    List<Thread> threads = new ArrayList<>();
    for (String name : List.of("j1", "j2")) {
      Thread thread = new Thread(() -> {
        try (CuratorFramework client = CuratorFrameworkFactory.builder().connectString(args[0])
            .sessionTimeoutMs(30000).connectionTimeoutMs(10000).retryPolicy(new RetryForever(50))
            .zookeeperFactory(Noting::new).build()) {
          client.start();
          client.blockUntilConnected(20, TimeUnit.SECONDS);
          note("began", name);
          for (int at = 0; at < rounds; at++) round(client, name, args[2], at);
        } catch (Throwable error) {
          error.printStackTrace();
          System.exit(1);
        }
      });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) thread.join();
    System.exit(0);
  }
}
