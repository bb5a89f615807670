import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.cache.NodeCache;
import org.apache.curator.framework.recipes.cache.PathChildrenCache;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.nodes.PersistentTtlNode;
import org.apache.curator.framework.recipes.watch.PersistentWatcher;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;

/** Recipes by which clients see what there is, and who leads: caches, nodes that are kept up, elections. */
class CuratorSight extends CuratorRig {
  static void addTo(Map<String, Check> checks) {
    checks.put("framework-create-delete", path -> {
      a.create().creatingParentContainersIfNeeded().forPath(path + "/one/two", bytes("x"));
      String protectedPath = a.create().withProtection().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(path + "/p-");
      holds(protectedPath.contains("_c_"), protectedPath);
      same(dataAt(b, path + "/one/two"), "x");
      Stat stat = new Stat();
      catchUp(b);
      b.getData().storingStatIn(stat).forPath(path + "/one/two");
      a.setData().withVersion(stat.getVersion()).forPath(path + "/one/two", bytes("y"));
      try {
        b.setData().withVersion(stat.getVersion()).forPath(path + "/one/two", bytes("z"));
        throw new Failed("an old version was taken");
      } catch (KeeperException.BadVersionException expected) {
      }
      a.create().orSetData().forPath(path + "/one/two", bytes("w"));
      same(dataAt(b, path + "/one/two"), "w");
      a.delete().guaranteed().deletingChildrenIfNeeded().forPath(path);
      catchUp(b);
      same(b.checkExists().forPath(path) == null, true);
    });
    checks.put("framework-transaction", path -> {
      a.create().creatingParentsIfNeeded().forPath(path + "/old", bytes("o"));
      List<CuratorTransactionResult> done = a.transaction().forOperations(
          a.transactionOp().create().forPath(path + "/new", bytes("n")),
          a.transactionOp().setData().forPath(path + "/old", bytes("p")),
          a.transactionOp().check().forPath(path + "/old"),
          a.transactionOp().delete().forPath(path + "/old"));
      same(done.size(), 4);
      catchUp(b);
      same(b.getChildren().forPath(path), List.of("new"));
      try {
        a.transaction().forOperations(a.transactionOp().create().forPath(path + "/x"),
            a.transactionOp().delete().forPath(path + "/none"));
        throw new Failed("half a transaction was done");
      } catch (KeeperException.NoNodeException expected) {
      }
      catchUp(b);
      same(b.getChildren().forPath(path), List.of("new"));
    });
    checks.put("framework-background", path -> {
      List<String> heard = new CopyOnWriteArrayList<>();
      a.create().creatingParentsIfNeeded().inBackground((client, event) -> heard.add(event.getType() + " " + event.getResultCode()))
          .forPath(path + "/x", bytes("x"));
      until("create was told", () -> heard.contains("CREATE 0"));
      b.sync().forPath(path);
      b.getData().inBackground((client, event) -> heard.add(text(event.getData()))).forPath(path + "/x");
      until("data were told", () -> heard.contains("x"));
    });
    checks.put("curator-cache", path -> {
      a.create().creatingParentsIfNeeded().forPath(path + "/a", bytes("1"));
      List<String> events = new CopyOnWriteArrayList<>();
      try (CuratorCache cache = CuratorCache.build(b, path)) {
        CountDownLatch ready = new CountDownLatch(1);
        cache.listenable().addListener(CuratorCacheListener.builder()
            .forCreates(node -> events.add("+" + node.getPath()))
            .forChanges((before, now) -> events.add("=" + now.getPath() + " " + text(before.getData()) + text(now.getData())))
            .forDeletes(node -> events.add("-" + node.getPath())).forInitialized(ready::countDown).build());
        cache.start();
        holds(ready.await(PATIENCE_MS, TimeUnit.MILLISECONDS), "not initialized");
        a.create().creatingParentsIfNeeded().forPath(path + "/b/c/d", bytes("deep"));
        // the cache reads what it is told of, and tells nothing of a node that is gone by then
        until("what was made is told", () -> events.containsAll(List.of("+" + path + "/a", "+" + path + "/b/c/d")));
        a.setData().forPath(path + "/a", bytes("2"));
        a.delete().forPath(path + "/b/c/d");
        until("all is told", () -> events.containsAll(List.of("+" + path, "+" + path + "/a", "+" + path + "/b/c/d",
            "=" + path + "/a 12", "-" + path + "/b/c/d")));
        same(cache.size(), 4);
        same(text(cache.get(path + "/a").get().getData()), "2");
      }
    });
    checks.put("curator-cache-single-node", path -> {
      a.create().creatingParentsIfNeeded().forPath(path, bytes("1"));
      List<String> seen = new CopyOnWriteArrayList<>();
      try (CuratorCache cache = CuratorCache.build(b, path, CuratorCache.Options.SINGLE_NODE_CACHE)) {
        cache.listenable().addListener(CuratorCacheListener.builder()
            .forAll((type, before, now) -> seen.add(type + " " + (now == null ? "" : text(now.getData())))).build());
        cache.start();
        until("it is there", () -> seen.contains("NODE_CREATED 1"));
        a.create().forPath(path + "/child");
        a.setData().forPath(path, bytes("2"));
        until("it changed", () -> seen.contains("NODE_CHANGED 2"));
        same(cache.size(), 1);
      }
    });
    checks.put("curator-cache-after-expiry", path -> {
      a.create().creatingParentsIfNeeded().forPath(path + "/a", bytes("1"));
      try (CuratorFramework own = client(); CuratorCache cache = CuratorCache.build(own, path)) {
        cache.start();
        until("it is filled", () -> cache.get(path + "/a").isPresent());
        expire(own);
        a.setData().forPath(path + "/a", bytes("2"));
        a.create().forPath(path + "/b", bytes("3"));
        until("it is filled anew", () -> cache.get(path + "/a").filter(node -> "2".equals(text(node.getData()))).isPresent()
            && cache.get(path + "/b").isPresent());
      }
    });
    checks.put("tree-cache", path -> {
      a.create().creatingParentsIfNeeded().forPath(path + "/a/b", bytes("1"));
      List<String> events = new CopyOnWriteArrayList<>();
      try (TreeCache cache = TreeCache.newBuilder(b, path).build()) {
        cache.getListenable()
            .addListener((client, event) -> events.add(event.getType() + " " + (event.getData() == null ? "" : event.getData().getPath())));
        cache.start();
        until("it is filled", () -> events.contains("INITIALIZED "));
        a.setData().forPath(path + "/a/b", bytes("2"));
        a.create().forPath(path + "/a/c", bytes("3"));
        a.delete().forPath(path + "/a/b");
        until("all is told", () -> events.containsAll(List.of("NODE_ADDED " + path, "NODE_ADDED " + path + "/a/c",
            "NODE_REMOVED " + path + "/a/b")));
        until("the children are those", () -> cache.getCurrentChildren(path + "/a").keySet().equals(Collections.singleton("c")));
        same(text(cache.getCurrentData(path + "/a/c").getData()), "3");
      }
    });
    checks.put("path-children-cache", path -> {
      a.create().creatingParentsIfNeeded().forPath(path + "/a", bytes("1"));
      List<String> events = new CopyOnWriteArrayList<>();
      try (PathChildrenCache cache = new PathChildrenCache(b, path, true)) {
        cache.getListenable()
            .addListener((client, event) -> events.add(event.getType() + " " + (event.getData() == null ? "" : event.getData().getPath())));
        catchUp(b);
        cache.start(PathChildrenCache.StartMode.BUILD_INITIAL_CACHE);
        same(cache.getCurrentData().size(), 1);
        a.create().forPath(path + "/b", bytes("2"));
        until("b is added", () -> events.contains("CHILD_ADDED " + path + "/b"));
        a.setData().forPath(path + "/b", bytes("3"));
        until("b is updated", () -> events.contains("CHILD_UPDATED " + path + "/b"));
        a.delete().forPath(path + "/a");
        until("a is removed", () -> events.contains("CHILD_REMOVED " + path + "/a"));
        List<ChildData> now = cache.getCurrentData();
        same(now.size(), 1);
        same(text(now.get(0).getData()), "3");
        cache.rebuild();
        same(cache.getCurrentData().size(), 1);
      }
    });
    checks.put("node-cache", path -> {
      AtomicInteger changes = new AtomicInteger();
      try (NodeCache cache = new NodeCache(b, path)) {
        cache.getListenable().addListener(changes::incrementAndGet);
        cache.start(true);
        same(cache.getCurrentData() == null, true);
        a.create().creatingParentsIfNeeded().forPath(path, bytes("1"));
        until("it came", () -> cache.getCurrentData() != null);
        a.setData().forPath(path, bytes("2"));
        until("it changed", () -> "2".equals(text(cache.getCurrentData().getData())));
        a.delete().forPath(path);
        until("it went", () -> cache.getCurrentData() == null);
        holds(changes.get() >= 3, changes + " changes");
      }
    });
    checks.put("persistent-watcher", path -> {
      List<String> events = new CopyOnWriteArrayList<>();
      a.create().creatingParentsIfNeeded().forPath(path);
      try (PersistentWatcher watcher = new PersistentWatcher(b, path, false)) {
        CountDownLatch set = new CountDownLatch(1);
        watcher.getResetListenable().addListener(set::countDown);
        watcher.getListenable().addListener(event -> events.add(event.getType() + " " + event.getPath()));
        watcher.start();
        holds(set.await(PATIENCE_MS, TimeUnit.MILLISECONDS), "the watch was not set");
        for (int nr = 0; nr < 3; nr++) a.setData().forPath(path, bytes("" + nr));
        a.create().forPath(path + "/x");
        until("all is told", () -> Collections.frequency(events, "NodeDataChanged " + path) == 3
            && events.contains("NodeChildrenChanged " + path));
      }
    });
    checks.put("persistent-watcher-recursive", path -> {
      List<String> events = new CopyOnWriteArrayList<>();
      a.create().creatingParentsIfNeeded().forPath(path);
      try (PersistentWatcher watcher = new PersistentWatcher(b, path, true)) {
        CountDownLatch set = new CountDownLatch(1);
        watcher.getResetListenable().addListener(set::countDown);
        watcher.getListenable().addListener(event -> events.add(event.getType() + " " + event.getPath()));
        catchUp(b);
        watcher.start();
        holds(set.await(PATIENCE_MS, TimeUnit.MILLISECONDS), "the watch was not set");
        a.create().creatingParentsIfNeeded().forPath(path + "/x/y", bytes("1"));
        a.setData().forPath(path + "/x/y", bytes("2"));
        a.delete().forPath(path + "/x/y");
        List<String> wanted = List.of("NodeCreated " + path + "/x", "NodeCreated " + path + "/x/y",
            "NodeDataChanged " + path + "/x/y", "NodeDeleted " + path + "/x/y");
        until("all is told", () -> events.size() >= wanted.size());
        same(new ArrayList<>(events), wanted);
      }
    });
    checks.put("leader-selector", path -> {
      AtomicInteger leading = new AtomicInteger();
      List<String> terms = new CopyOnWriteArrayList<>();
      List<LeaderSelector> all = new ArrayList<>();
      for (String name : List.of("a", "b")) {
        LeaderSelector selector = new LeaderSelector(name.equals("a") ? a : b, path, new LeaderSelectorListenerAdapter() {
          @Override
          public void takeLeadership(CuratorFramework client) throws Exception {
            if (leading.incrementAndGet() != 1) terms.add("two lead");
            Thread.sleep(10);
            terms.add(name);
            leading.decrementAndGet();
          }
        });
        selector.setId(name);
        selector.autoRequeue();
        all.add(selector);
      }
      for (LeaderSelector selector : all) selector.start();
      until("each led twice", () -> Collections.frequency(terms, "a") >= 2 && Collections.frequency(terms, "b") >= 2);
      until("both are known", () -> all.get(0).getParticipants().size() == 2);
      for (LeaderSelector selector : all) selector.close();
      holds(!terms.contains("two lead"), "two led at once");
    });
    checks.put("leader-latch", path -> {
      LeaderLatch first = new LeaderLatch(a, path, "first");
      LeaderLatch second = new LeaderLatch(b, path, "second", LeaderLatch.CloseMode.NOTIFY_LEADER);
      first.start();
      holds(first.await(PATIENCE_MS, TimeUnit.MILLISECONDS), "the first does not lead");
      second.start();
      until("both are known", () -> first.getParticipants().size() == 2);
      same(second.getLeader().getId(), "first");
      same(second.hasLeadership(), false);
      first.close();
      holds(second.await(PATIENCE_MS, TimeUnit.MILLISECONDS), "the second does not follow");
      second.close();
    });
    checks.put("leader-latch-after-expiry", path -> {
      try (CuratorFramework own = client(); LeaderLatch first = new LeaderLatch(own, path, "first");
          LeaderLatch second = new LeaderLatch(b, path, "second")) {
        first.start();
        holds(first.await(PATIENCE_MS, TimeUnit.MILLISECONDS), "the first does not lead");
        second.start();
        until("both are known", () -> second.getParticipants().size() == 2);
        expire(own);
        holds(second.await(PATIENCE_MS, TimeUnit.MILLISECONDS), "the second does not follow");
        until("the first stands again", () -> !first.hasLeadership() && second.getParticipants().size() == 2);
      }
    });
    checks.put("persistent-node", path -> {
      try (PersistentNode node = new PersistentNode(a, CreateMode.EPHEMERAL, false, path + "/n", bytes("1"))) {
        node.start();
        holds(node.waitForInitialCreate(PATIENCE_MS, TimeUnit.MILLISECONDS), "it was not made");
        b.delete().forPath(path + "/n");
        until("it is made again", () -> b.checkExists().forPath(path + "/n") != null);
        node.setData(bytes("2"));
        until("its data are new", () -> "2".equals(dataAt(b, path + "/n")));
      }
      until("it goes with its owner", () -> b.checkExists().forPath(path + "/n") == null);
    });
    checks.put("persistent-node-after-expiry", path -> {
      try (CuratorFramework own = client();
          PersistentNode node = new PersistentNode(own, CreateMode.EPHEMERAL, true, path + "/n", bytes("1"))) {
        node.start();
        holds(node.waitForInitialCreate(PATIENCE_MS, TimeUnit.MILLISECONDS), "it was not made");
        catchUp(b);
        long owner = b.checkExists().forPath(node.getActualPath()).getEphemeralOwner();
        expire(own);
        until("it is of the new session", () -> {
          String now = node.getActualPath();
          Stat stat = now == null ? null : b.checkExists().forPath(now);
          return stat != null && stat.getEphemeralOwner() != owner;
        });
      }
    });
    checks.put("persistent-ttl-node", path -> {
      a.create().creatingParentsIfNeeded().forPath(path);
      try (PersistentTtlNode node = new PersistentTtlNode(a, path + "/n", 3000, bytes("1"))) {
        node.start();
        holds(node.waitForInitialCreate(PATIENCE_MS, TimeUnit.MILLISECONDS), "it was not made");
        until("it is kept alive by a child", () -> b.checkExists().forPath(path + "/n/" + PersistentTtlNode.DEFAULT_CHILD_NODE_NAME) != null);
        same(dataAt(b, path + "/n"), "1");
      }
    });
    checks.put("group-member", path -> {
      try (GroupMember one = new GroupMember(a, path, "one", bytes("1"))) {
        one.start();
        try (GroupMember two = new GroupMember(b, path, "two", bytes("2"))) {
          two.start();
          until("each sees both", () -> one.getCurrentMembers().size() == 2 && two.getCurrentMembers().size() == 2);
          same(new TreeSet<>(one.getCurrentMembers().keySet()), new TreeSet<>(List.of("one", "two")));
          two.setThisData(bytes("3"));
          until("its data are new", () -> "3".equals(text(one.getCurrentMembers().get("two"))));
        }
        until("it is seen to go", () -> one.getCurrentMembers().size() == 1);
      }
    });
  }
}
