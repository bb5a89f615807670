/** Looking: lists, trees, counts, stats. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base, client, ROOT, shell, statJson, statOf, statText } from './shell-rig.ts';

test('five thousand children: listed, counted, deleted', async () => {
  const at = await base('many');
  const names = Array.from({ length: 5000 }, (_, n) => `n${String(n).padStart(5, '0')}`);
  for (let from = 0; from < 5000; from += 1000)
    await client.multi(
      names.slice(from, from + 1000).map((name) => ({ op: 'create', path: `${at}/${name}`, data: null, options: {} })),
    );
  await using sh = shell('-o', 'plain');
  await sh.ok(`ls ${at}`, `${names.join('\n')}\n`);
  await sh.ok(`getAllChildrenNumber ${at}`, '5000\n');
  const { err, out } = await sh.line(`ls --limit 2 ${at}`);
  assert.deepEqual([out, err], ['n00000\nn00001\n', '4998 more not shown (--limit 2)\n']);
  await sh.ok(`deleteall ${at}`, '5001\n');
  assert.equal(await client.exists(at), undefined);
});

test('ls, tree, counts: every order and form', async () => {
  const at = await base('ls');
  await client.create(`${at}/alpha`, 'ten bytes!');
  await client.create(`${at}/beta`, 'xx');
  for (const name of ['x', 'y', 'z']) await client.create(`${at}/beta/${name}`);
  await client.create(`${at}/gamma`, '333');
  await client.create(`${at}/gamma/x`, null, { mode: 'ephemeral' });
  await client.create(`${at}/beta/z/deep`);
  await client.set(`${at}/beta`, '22');
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  await sh.ok('pwd', `${at}\n`);
  await sh.ok('ls', 'alpha\nbeta\ngamma\n');
  await sh.ok('ls -1', 'alpha\nbeta\ngamma\n');
  await sh.ok('ls -r', 'gamma\nbeta\nalpha\n');
  await sh.ok('ls -S', 'alpha\ngamma\nbeta\n');
  await sh.ok('ls -c', 'beta\ngamma\nalpha\n');
  await sh.ok('ls -cr', 'alpha\ngamma\nbeta\n');
  await sh.ok('ls -t', /^beta\n(?:gamma\nalpha|alpha\ngamma)\n$/);
  await sh.ok('ls -d', `${at}\n`);
  const row = async (name: string, shown = name): Promise<string> => {
    const { kind, ...stat } = { kind: 'persistent', ...statJson(await statOf(`${at}/${name}`)) };
    const owner = stat.ephemeralOwner;
    return `${[owner === '0x0' ? kind : 'ephemeral', stat.version, stat.dataLength, stat.numChildren, stat.mtime, owner, shown].join('\t')}\n`;
  };
  await sh.ok('ls -l', (await row('alpha')) + (await row('beta')) + (await row('gamma')));
  await sh.ok('ls -l gamma', await row('gamma/x', 'x'));
  await sh.ok('ls -ld gamma', await row('gamma', `${at}/gamma`));
  const tree = ['', '/alpha', '/beta', '/beta/x', '/beta/y', '/beta/z', '/beta/z/deep', '/gamma', '/gamma/x'];
  const paths = (from: readonly string[]): string => from.map((each) => `${at}${each}\n`).join('');
  await sh.ok('ls -R', paths(tree));
  await sh.ok('ls -Rr', paths([...tree].reverse()));
  await sh.ok('ls -R --depth 1', paths(['', '/alpha', '/beta', '/gamma']));
  await sh.ok('ls -s beta', `x\ny\nz\n${statText(await statOf(`${at}/beta`))}`);
  await sh.ok('ls2 beta', `x\ny\nz\n${statText(await statOf(`${at}/beta`))}`);
  await sh.ok('ls beta gamma', `${at}/beta:\nx\ny\nz\n\n${at}/gamma:\nx\n`);
  await sh.ok('ls {alpha,gamma}', `${at}/alpha:\n\n${at}/gamma:\nx\n`);
  const roots = (await client.getChildren('/')).children.filter((name) => name !== 'zookeeper');
  await sh.ok('ls -R --depth 1 /', ['/', ...roots.map((name) => `/${name}`), ''].join('\n'));
  await sh.ok('ls -Ra --depth 2 /', /^\/zookeeper\n\/zookeeper\/config\n\/zookeeper\/quota\n/m);
  await sh.no('ls nowhere', 10, `error: node does not exist: ${at}/nowhere`);
  await sh.ok('getAllChildrenNumber', '8\n');
  await sh.ok('getAllChildrenNumber beta', '4\n');
  await sh.no('getAllChildrenNumber nowhere', 10, `error: node does not exist: ${at}/nowhere`);
  await sh.ok('tree', `${at}\n\talpha\n\tbeta\n\t\tx\n\t\ty\n\t\tz\n\t\t\tdeep\n\tgamma\n\t\tx\n`);
  await sh.ok('tree -L 1 -s', `${at}\t0\n\talpha\t10\n\tbeta\t2\n\tgamma\t3\n`);
  await sh.ok('tree -e .', `${at}\n\tgamma\n\t\tx\n`);
  await sh.ok('tree -e -s .', `${at}\t0\n\tgamma\t3\n\t\tx\t0\n`);
  await sh.ok('tree --limit 2 beta', /^\/.*\/beta\n\tx\n\t\.\.\. 2 more\n\.\.\.\n$/);
  await sh.ok('stat alpha', statText(await statOf(`${at}/alpha`)));
  await sh.ok(
    'stat alpha gamma/x',
    `${at}/alpha:\n${statText(await statOf(`${at}/alpha`))}\n${at}/gamma/x:\n${statText(await statOf(`${at}/gamma/x`))}`,
  );
  await sh.no('stat alpa', 10, `error: node does not exist: ${at}/alpa`, ` hint: did you mean ${at}/alpha ?`);
  await sh.ok('exists alpha', 'yes\n');
  assert.deepEqual(await sh.line('exists nowhere'), { out: 'no\n', err: '', status: 1 });
  await sh.ok('exists -q alpha');
  assert.deepEqual(await sh.line('exists -q nowhere'), { out: '', err: '', status: 1 });
  await sh.ok('exists -q nowhere || exists -q alpha && pwd', `${at}\n`);
  await sh.ok('cd beta && pwd', `${at}/beta\n`);
  await sh.ok('cd - && pwd', `${at}\n`);
  await sh.ok('cd .. && pwd', `${ROOT}\n`);
  await sh.no('cd nowhere', 10, `error: node does not exist: ${ROOT}/nowhere`);
  await sh.ok('sync');
  await sh.ok('sync /not/there');
  await using js = shell('-o', 'json');
  await js.json(`ls ${at}`, { path: at, children: ['alpha', 'beta', 'gamma'] });
  await js.json(`ls -ls ${at}/beta`, async () => ({
    path: `${at}/beta`,
    children: await Promise.all(
      ['x', 'y', 'z'].map(async (name) => ({
        path: `${at}/beta/${name}`,
        stat: statJson(await statOf(`${at}/beta/${name}`)),
      })),
    ),
    stat: statJson(await statOf(`${at}/beta`)),
  }));
  await js.json(`stat ${at}/alpha`, { path: `${at}/alpha`, ...statJson(await statOf(`${at}/alpha`)) });
  await js.json(`exists ${at}/alpha`, true);
  await js.json(`getAllChildrenNumber ${at}`, 8);
  await js.json('sync', { synced: true });
  const leaf = (path: string) => ({ name: path.slice(path.lastIndexOf('/') + 1), path, children: [] });
  await js.json(`tree ${at}/gamma`, {
    name: `${at}/gamma`,
    path: `${at}/gamma`,
    children: [leaf(`${at}/gamma/x`)],
    truncated: false,
  });
});
