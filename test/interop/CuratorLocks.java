import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.AtomicValue;
import org.apache.curator.framework.recipes.atomic.CachedAtomicLong;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicInteger;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicValue;
import org.apache.curator.framework.recipes.atomic.PromotedToLock;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.locks.InterProcessMultiLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreMutex;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.locks.Revoker;
import org.apache.curator.framework.recipes.queue.DistributedDelayQueue;
import org.apache.curator.framework.recipes.queue.DistributedIdQueue;
import org.apache.curator.framework.recipes.queue.DistributedPriorityQueue;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.SharedCountListener;
import org.apache.curator.framework.recipes.shared.SharedCountReader;
import org.apache.curator.framework.recipes.shared.SharedValue;
import org.apache.curator.framework.recipes.shared.VersionedValue;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;

/** Recipes by which clients share: locks, barriers, numbers, queues. */
class CuratorLocks extends CuratorRig {
  static void addTo(Map<String, Check> checks) {
    checks.put("barrier", path -> {
      DistributedBarrier barrier = new DistributedBarrier(a, path);
      barrier.setBarrier();
      catchUp(b);
      holds(!new DistributedBarrier(b, path).waitOnBarrier(200, TimeUnit.MILLISECONDS), "it stops nobody");
      Future<Boolean> waits = threads.submit(() -> new DistributedBarrier(b, path).waitOnBarrier(PATIENCE_MS, TimeUnit.MILLISECONDS));
      Thread.sleep(50);
      same(waits.isDone(), false);
      barrier.removeBarrier();
      same(waits.get(PATIENCE_MS, TimeUnit.MILLISECONDS), true);
    });
    checks.put("double-barrier", path -> {
      AtomicInteger came = new AtomicInteger();
      List<Future<Integer>> all = new ArrayList<>();
      for (CuratorFramework client : List.of(a, b, a)) all.add(threads.submit(() -> {
        DistributedDoubleBarrier barrier = new DistributedDoubleBarrier(client, path, 3);
        came.incrementAndGet();
        holds(barrier.enter(PATIENCE_MS, TimeUnit.MILLISECONDS), "nobody else came");
        int seen = came.get();
        holds(barrier.leave(PATIENCE_MS, TimeUnit.MILLISECONDS), "nobody else left");
        return seen;
      }));
      for (Future<Integer> one : all) same(one.get(2 * PATIENCE_MS, TimeUnit.MILLISECONDS), 3);
    });
    checks.put("atomic-long", path -> {
      List<Future<Integer>> all = new ArrayList<>();
      for (CuratorFramework client : List.of(a, b)) all.add(threads.submit(() -> {
        DistributedAtomicLong number = new DistributedAtomicLong(client, path, new RetryNTimes(50, 5),
            PromotedToLock.builder().lockPath(path + "-lock").timeout(PATIENCE_MS, TimeUnit.MILLISECONDS).build());
        int done = 0;
        for (int nr = 0; nr < 20; nr++) if (number.add(3L).succeeded()) done++;
        return done;
      }));
      int done = 0;
      for (Future<Integer> one : all) done += one.get(2 * PATIENCE_MS, TimeUnit.MILLISECONDS);
      DistributedAtomicLong number = new DistributedAtomicLong(a, path, new RetryNTimes(10, 5));
      same(done, 40);
      catchUp(a);
      same(number.get().postValue(), 120L);
      same(number.compareAndSet(119L, 0L).succeeded(), false);
      same(number.compareAndSet(120L, 7L).succeeded(), true);
      same(number.decrement().postValue(), 6L);
      number.forceSet(1L);
      same(new CachedAtomicLong(number, 10).next().postValue(), 2L);
    });
    checks.put("atomic-integer", path -> {
      DistributedAtomicInteger number = new DistributedAtomicInteger(a, path, new RetryNTimes(10, 5));
      same(number.initialize(5), true);
      same(number.initialize(6), false);
      same(number.increment().postValue(), 6);
      catchUp(b);
      same(new DistributedAtomicInteger(b, path, new RetryNTimes(10, 5)).subtract(4).postValue(), 2);
    });
    checks.put("atomic-value", path -> {
      DistributedAtomicValue value = new DistributedAtomicValue(a, path, new RetryNTimes(10, 5));
      AtomicValue<byte[]> set = value.trySet(bytes("1"));
      same(set.succeeded(), true);
      catchUp(b);
      same(new DistributedAtomicValue(b, path, new RetryNTimes(10, 5)).compareAndSet(bytes("1"), bytes("2")).succeeded(), true);
      catchUp(a);
      same(value.compareAndSet(bytes("1"), bytes("3")).succeeded(), false);
      same(text(value.get().postValue()), "2");
    });
    checks.put("shared-count", path -> {
      List<Integer> heard = new CopyOnWriteArrayList<>();
      try (SharedCount one = new SharedCount(a, path, 10); SharedCount two = new SharedCount(b, path, 10)) {
        two.addListener(new SharedCountListener() {
          @Override
          public void countHasChanged(SharedCountReader count, int now) {
            heard.add(now);
          }

          @Override
          public void stateChanged(CuratorFramework client, ConnectionState state) {
          }
        });
        one.start();
        two.start();
        same(two.getCount(), 10);
        same(one.trySetCount(one.getVersionedValue(), 11), true);
        until("the change is told", () -> heard.contains(11) && two.getCount() == 11);
        one.setCount(12);
        until("the next is told", () -> two.getCount() == 12);
      }
    });
    checks.put("shared-value", path -> {
      try (SharedValue one = new SharedValue(a, path, bytes("s")); SharedValue two = new SharedValue(b, path, bytes("s"))) {
        one.start();
        two.start();
        one.setValue(bytes("t"));
        until("it is seen", () -> "t".equals(text(two.getValue())));
        same(two.trySetValue(two.getVersionedValue(), bytes("u")), true);
        until("it is seen there", () -> "u".equals(text(one.getValue())));
        VersionedValue<byte[]> old = one.getVersionedValue();
        two.setValue(bytes("v"));
        same(one.trySetValue(old, bytes("w")), false);
        same(dataAt(b, path), "v");
      }
    });
    checks.put("mutex", path -> {
      InterProcessMutex mine = new InterProcessMutex(a, path);
      mine.acquire();
      mine.acquire();
      Future<Boolean> other = threads.submit(() -> new InterProcessMutex(b, path).acquire(200, TimeUnit.MILLISECONDS));
      same(other.get(PATIENCE_MS, TimeUnit.MILLISECONDS), false);
      mine.release();
      same(mine.isAcquiredInThisProcess(), true);
      mine.release();
      InterProcessMutex theirs = new InterProcessMutex(b, path);
      holds(theirs.acquire(PATIENCE_MS, TimeUnit.MILLISECONDS), "it is not free");
      same(theirs.getParticipantNodes().size(), 1);
      theirs.release();
    });
    checks.put("mutex-revoked", path -> {
      InterProcessMutex mine = new InterProcessMutex(a, path);
      CountDownLatch asked = new CountDownLatch(1);
      mine.makeRevocable(lock -> asked.countDown());
      mine.acquire();
      Revoker.attemptRevoke(b, mine.getParticipantNodes().iterator().next());
      holds(asked.await(PATIENCE_MS, TimeUnit.MILLISECONDS), "nobody was asked");
      mine.release();
    });
    checks.put("mutex-after-expiry", path -> {
      try (CuratorFramework own = client()) {
        new InterProcessMutex(own, path).acquire();
        Future<Boolean> other = threads.submit(() -> {
          InterProcessMutex theirs = new InterProcessMutex(b, path);
          boolean got = theirs.acquire(PATIENCE_MS, TimeUnit.MILLISECONDS);
          if (got) theirs.release();
          return got;
        });
        Thread.sleep(50);
        same(other.isDone(), false);
        expire(own);
        same(other.get(PATIENCE_MS, TimeUnit.MILLISECONDS), true);
      }
    });
    checks.put("semaphore-mutex", path -> {
      InterProcessSemaphoreMutex mine = new InterProcessSemaphoreMutex(a, path);
      mine.acquire();
      same(new InterProcessSemaphoreMutex(b, path).acquire(200, TimeUnit.MILLISECONDS), false);
      mine.release();
      InterProcessSemaphoreMutex theirs = new InterProcessSemaphoreMutex(b, path);
      holds(theirs.acquire(PATIENCE_MS, TimeUnit.MILLISECONDS), "it is not free");
      theirs.release();
    });
    checks.put("read-write-lock", path -> {
      InterProcessReadWriteLock mine = new InterProcessReadWriteLock(a, path);
      InterProcessReadWriteLock theirs = new InterProcessReadWriteLock(b, path);
      mine.readLock().acquire();
      Future<Boolean> reads = threads.submit(() -> {
        boolean got = theirs.readLock().acquire(PATIENCE_MS, TimeUnit.MILLISECONDS);
        if (got) theirs.readLock().release();
        return got;
      });
      same(reads.get(PATIENCE_MS, TimeUnit.MILLISECONDS), true);
      Future<Boolean> writes = threads.submit(() -> theirs.writeLock().acquire(200, TimeUnit.MILLISECONDS));
      same(writes.get(PATIENCE_MS, TimeUnit.MILLISECONDS), false);
      mine.readLock().release();
      mine.writeLock().acquire();
      mine.readLock().acquire();
      mine.writeLock().release();
      mine.readLock().release();
    });
    checks.put("semaphore", path -> {
      InterProcessSemaphoreV2 mine = new InterProcessSemaphoreV2(a, path, 2);
      List<Lease> leases = new ArrayList<>(mine.acquire(2));
      same(new InterProcessSemaphoreV2(b, path, 2).acquire(200, TimeUnit.MILLISECONDS) == null, true);
      mine.returnLease(leases.remove(0));
      Lease theirs = new InterProcessSemaphoreV2(b, path, 2).acquire(PATIENCE_MS, TimeUnit.MILLISECONDS);
      holds(theirs != null, "none is free");
      theirs.close();
      mine.returnAll(leases);
    });
    checks.put("semaphore-of-shared-count", path -> {
      try (SharedCount count = new SharedCount(a, path + "-count", 1)) {
        count.start();
        InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(a, path, count);
        Lease first = semaphore.acquire();
        Future<Lease> second = threads.submit(() -> semaphore.acquire(PATIENCE_MS, TimeUnit.MILLISECONDS));
        Thread.sleep(50);
        same(second.isDone(), false);
        count.setCount(2);
        Lease got = second.get(PATIENCE_MS, TimeUnit.MILLISECONDS);
        holds(got != null, "the greater number gave no room");
        got.close();
        first.close();
      }
    });
    checks.put("multi-lock", path -> {
      InterProcessMultiLock both = new InterProcessMultiLock(a, List.of(path + "/one", path + "/two"));
      both.acquire();
      same(threads.submit(() -> new InterProcessMutex(b, path + "/two").acquire(200, TimeUnit.MILLISECONDS)).get(), false);
      both.release();
      InterProcessMutex two = new InterProcessMutex(b, path + "/two");
      holds(two.acquire(PATIENCE_MS, TimeUnit.MILLISECONDS), "it is not free");
      two.release();
    });
    checks.put("queue", path -> {
      List<String> took = new CopyOnWriteArrayList<>();
      DistributedQueue<String> out = QueueBuilder.builder(a, null, TEXT, path).buildQueue();
      DistributedQueue<String> in = QueueBuilder.builder(b, taker(took), TEXT, path).lockPath(path + "-lock").buildQueue();
      out.start();
      List<String> wanted = new ArrayList<>();
      for (int nr = 0; nr < 20; nr++) {
        out.put("" + nr);
        wanted.add("" + nr);
      }
      holds(out.flushPuts(PATIENCE_MS, TimeUnit.MILLISECONDS), "they were not put");
      in.start();
      until("all were taken", () -> took.size() == 20);
      same(new ArrayList<>(took), wanted);
      in.close();
      out.close();
    });
    checks.put("queue-two-takers", path -> {
      List<String> took = new CopyOnWriteArrayList<>();
      List<DistributedQueue<String>> all = new ArrayList<>();
      for (CuratorFramework client : List.of(a, b))
        all.add(QueueBuilder.builder(client, taker(took), TEXT, path).lockPath(path + "-lock").buildQueue());
      for (DistributedQueue<String> queue : all) queue.start();
      for (int nr = 0; nr < 30; nr++) all.get(nr % 2).put("" + nr);
      until("all were taken", () -> took.size() >= 30);
      same(new ConcurrentSkipListSet<>(took).size(), took.size());
      for (DistributedQueue<String> queue : all) queue.close();
    });
    checks.put("queue-by-id", path -> {
      List<String> took = new CopyOnWriteArrayList<>();
      DistributedIdQueue<String> out = QueueBuilder.builder(a, null, TEXT, path).buildIdQueue();
      out.start();
      for (String item : List.of("a", "b", "c")) out.put(item, "id-" + item);
      same(out.remove("id-b"), 1);
      DistributedIdQueue<String> in = QueueBuilder.builder(b, taker(took), TEXT, path).buildIdQueue();
      catchUp(b);
      in.start();
      until("two were taken", () -> took.size() == 2);
      same(new ArrayList<>(took), List.of("a", "c"));
      in.close();
      out.close();
    });
    checks.put("queue-by-priority", path -> {
      List<String> took = new CopyOnWriteArrayList<>();
      DistributedPriorityQueue<String> out = QueueBuilder.builder(a, null, TEXT, path).buildPriorityQueue(1);
      out.start();
      out.put("low", 30);
      out.put("high", -5);
      out.put("middle", 10);
      out.flushPuts(PATIENCE_MS, TimeUnit.MILLISECONDS);
      DistributedPriorityQueue<String> in = QueueBuilder.builder(b, taker(took), TEXT, path).buildPriorityQueue(1);
      catchUp(b);
      in.start();
      until("all were taken", () -> took.size() == 3);
      same(new ArrayList<>(took), List.of("high", "middle", "low"));
      in.close();
      out.close();
    });
    checks.put("queue-delayed", path -> {
      List<String> took = new CopyOnWriteArrayList<>();
      DistributedDelayQueue<String> queue = QueueBuilder.builder(a, taker(took), TEXT, path).buildDelayQueue();
      queue.start();
      long now = System.currentTimeMillis();
      queue.put("late", now + 600);
      queue.put("soon", now + 100);
      until("both were taken", () -> took.size() == 2);
      same(new ArrayList<>(took), List.of("soon", "late"));
      holds(System.currentTimeMillis() >= now + 600, "it came too early");
      queue.close();
    });
    checks.put("queue-simple", path -> {
      SimpleDistributedQueue one = new SimpleDistributedQueue(a, path);
      SimpleDistributedQueue two = new SimpleDistributedQueue(b, path);
      same(text(one.poll()) == null, true);
      one.offer(bytes("1"));
      one.offer(bytes("2"));
      catchUp(b);
      same(text(two.peek()), "1");
      same(text(two.take()), "1");
      same(text(two.poll(PATIENCE_MS, TimeUnit.MILLISECONDS)), "2");
      Future<byte[]> waits = threads.submit(() -> two.poll(PATIENCE_MS, TimeUnit.MILLISECONDS));
      one.offer(bytes("3"));
      same(text(waits.get(PATIENCE_MS, TimeUnit.MILLISECONDS)), "3");
    });
  }
}
