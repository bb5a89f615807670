/* The main calls of npm's node-zookeeper-client: node pure.cjs FOLDER HOSTS; prints what is the same wherever it runs. */
const zk = require(require.resolve('node-zookeeper-client', { paths: [process.argv[2]] }));
const client = zk.createClient(process.argv[3], { sessionTimeout: 30000 });
const call = (name, ...words) =>
  new Promise((resolve) =>
    client[name](...words, (error, ...answers) => {
      const shown = answers.map((each) =>
        Buffer.isBuffer(each)
          ? `"${each}"`
          : Array.isArray(each)
            ? JSON.stringify(each.map(String).sort())
            : each?.version !== undefined
              ? `version ${each.version} cversion ${each.cversion} aversion ${each.aversion} children ${each.numChildren} bytes ${each.dataLength}`
              : String(each),
      );
      console.log(name, words[0], error ? error.name : 'ok', ...shown);
      resolve();
    }),
  );
const event = (name, ...words) => {
  let told;
  const happened = new Promise((resolve) => {
    told = resolve;
  });
  const asked = call(name, ...words, (each) => {
    console.log('event', each.getName(), each.getPath());
    told();
  });
  return { asked, happened };
};
setTimeout(() => process.exit(1), 150000).unref();
client.once('connected', async () => {
  const { ACL, CreateMode, Id, Permission } = zk;
  await call('mkdirp', '/p/deep/er');
  await call('create', '/p/a', Buffer.from('v0'));
  await call('create', '/p/a', Buffer.from('v0'));
  await call('create', '/p/e', CreateMode.EPHEMERAL);
  await call('create', '/p/s-', CreateMode.PERSISTENT_SEQUENTIAL);
  const data = event('getData', '/p/a');
  await data.asked;
  await call('setData', '/p/a', Buffer.from('v1'), 0);
  await data.happened;
  await call('setData', '/p/a', Buffer.from('v2'), 7);
  const born = event('exists', '/p/new');
  await born.asked;
  await call('create', '/p/new');
  await born.happened;
  const children = event('getChildren', '/p');
  await children.asked;
  await call('remove', '/p/new');
  await children.happened;
  await call('remove', '/p');
  client.addAuthInfo('digest', Buffer.from('a:b'));
  await call('create', '/p/mine', zk.ACL.CREATOR_ALL_ACL);
  await call('getACL', '/p/mine');
  await call('setACL', '/p/mine', [new ACL(Permission.READ, new Id('world', 'anyone'))], 0);
  await call('setData', '/p/mine', Buffer.from('x'));
  for (const name of ['/p/none', '/p/a'])
    await new Promise((resolve) =>
      client
        .transaction()
        .create('/p/t', Buffer.from('t'))
        .setData('/p/t', Buffer.from('u'), 0)
        .remove(name)
        .commit((error, results) => {
          console.log(
            'transaction',
            error ? error.name : 'ok',
            results?.map((each) => each.type),
          );
          resolve();
        }),
    );
  // it sees one level only, and goes until it meets a node that is not empty, in the order in which a server names children
  await call('remove', '/p/deep/er');
  await call('removeRecursive', '/p');
  await call('exists', '/p');
  client.once('disconnected', () => process.exit(0));
  client.close();
});
client.connect();
