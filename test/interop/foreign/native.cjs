/* The main calls of npm's zookeeper, a binding of the C client: node native.cjs FOLDER HOSTS; prints what is the same everywhere. */
const ZooKeeper = require(require.resolve('zookeeper', { paths: [process.argv[2]] }));
const client = new ZooKeeper({
  connect: process.argv[3],
  timeout: 30000,
  debug_level: ZooKeeper.ZOO_LOG_LEVEL_ERROR,
  host_order_deterministic: false,
});
const show = (each) =>
  Buffer.isBuffer(each)
    ? `"${each}"`
    : Array.isArray(each)
      ? JSON.stringify([...each].sort())
      : each?.version !== undefined
        ? `version ${each.version} cversion ${each.cversion} aversion ${each.aversion} children ${each.numChildren} bytes ${each.dataLength}`
        : String(each);
const call = (name, ...words) =>
  new Promise((resolve) =>
    client[name](...words, (code, _error, ...answers) => {
      console.log(name, words[0], code, ...(code === 0 ? answers.map(show) : []));
      resolve(code);
    }),
  );
const watched = (name, path) => {
  let told;
  const happened = new Promise((resolve) => {
    told = resolve;
  });
  const asked = call(name, path, (type, _state, where) => {
    console.log('event', type, where);
    told();
  });
  return { asked, happened };
};
setTimeout(() => process.exit(1), 150000).unref();
client.connect(async (error) => {
  if (error) throw error;
  await call('a_create', '/n', 'v0', 0);
  await call('a_create', '/n', 'v0', 0);
  await call('a_create', '/n/e', '', ZooKeeper.ZOO_EPHEMERAL);
  await call('a_create', '/n/s-', '', ZooKeeper.ZOO_SEQUENCE);
  const data = watched('aw_get', '/n');
  await data.asked;
  await call('a_set', '/n', 'v1', 0);
  await data.happened;
  await call('a_set', '/n', 'v2', 7);
  const born = watched('aw_exists', '/n/new');
  await born.asked;
  await call('a_create', '/n/new', 'x', 0);
  await born.happened;
  const children = watched('aw_get_children', '/n');
  await children.asked;
  await call('a_delete_', '/n/new', 0);
  await children.happened;
  await call('a_get_children2', '/n', false);
  await call('a_delete_', '/n', -1);
  await call('a_get_acl', '/n');
  await call('a_set_acl', '/n', -1, [{ perms: 1, scheme: 'world', auth: 'anyone' }]);
  await call('a_set', '/n', 'v3', -1);
  await call('a_exists', '/n/none', false);
  client.close();
  process.exit(0);
});
