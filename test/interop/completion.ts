/** Completion in bash, zsh and fish themselves, each on a pseudo terminal, against the server at $ZOOKEEPER. */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '../../src/index.ts';
import { lateIf, timely } from '../patience.ts';
import { ShellOnPty } from './completion-pty.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SERVER = process.env.ZOOKEEPER ?? '';
const LIMIT_MS = 400;
const folder = mkdtempSync(join(tmpdir(), 'zoosh-completion-'));
after(() => rmSync(folder, { recursive: true }));

before(async () => {
  const client = await connect(SERVER);
  for (const path of ['/comp', '/comp/child', '/with space']) await client.create(path, 'x');
  await client.close();
  mkdirSync(join(folder, 'bin'));
  const program = `#!/bin/sh
case "$1" in __complete|completion) exec '${process.execPath}' '${ROOT}bin/zoosh.js' "$@" ;; esac
printf RAN; [ $# = 0 ] || printf '<%s>' "$@"; printf '.\\n'
`;
  writeFileSync(join(folder, 'bin', 'zoosh'), program);
  chmodSync(join(folder, 'bin', 'zoosh'), 0o755);
});
after(async () => {
  const client = await connect(SERVER);
  for (const path of ['/comp/child', '/comp', '/with space']) await client.delete(path);
  await client.close();
});

/** How each shell is begun with the file of completions/ where its users put it, and with the script it sources. */
const SHELLS = {
  bash: {
    installed: 'data/bash-completion/completions/zoosh',
    rc: 'home/bashrc',
    begin: 'source /usr/share/bash-completion/bash_completion\n',
    source: 'source <(zoosh completion bash)\n',
    // one Tab shows what there is to choose, as in the others
    prompt:
      "PS1='READY> '\nbind 'set show-all-if-ambiguous on'\nbind 'set bell-style none'\nbind 'set enable-bracketed-paste off'\n",
    args: ['--noprofile', '--rcfile', join(folder, 'home', 'bashrc'), '-i'],
  },
  zsh: {
    installed: 'data/zsh/_zoosh',
    rc: 'home/.zshrc',
    begin: `fpath=(${join(folder, 'data', 'zsh')} $fpath)\nautoload -Uz compinit\ncompinit -u -d ${join(folder, 'zcompdump')}\n`,
    source: 'autoload -Uz compinit\ncompinit -u -D\nsource <(zoosh completion zsh)\n',
    prompt: "PS1='READY> '\nunsetopt BEEP PROMPT_SP\n",
    args: ['-i'],
  },
  fish: {
    installed: 'config/fish/completions/zoosh.fish',
    rc: 'config/fish/config.fish',
    begin: '',
    source: 'zoosh completion fish | source\n',
    prompt: "set -g fish_greeting\nset -g fish_autosuggestion_enabled 0\nfunction fish_prompt; printf 'READY> '; end\n",
    args: ['-i'],
  },
} as const;
type Shell = keyof typeof SHELLS;

async function shellOf(
  name: Shell,
  how: 'installed' | 'sourced',
  env: Readonly<Record<string, string>>,
): Promise<ShellOnPty> {
  const { installed, rc, begin, source, prompt, args } = SHELLS[name];
  for (const each of ['home', 'data', 'config', 'data/zsh', 'cwd']) mkdirSync(join(folder, each), { recursive: true });
  const file = join(folder, installed);
  rmSync(file, { force: true });
  if (how === 'installed') {
    mkdirSync(join(file, '..'), { recursive: true });
    copyFileSync(join(ROOT, 'completions', `zoosh.${name}`), file);
  }
  mkdirSync(join(folder, rc, '..'), { recursive: true });
  writeFileSync(join(folder, rc), `${prompt}${how === 'installed' ? begin : source}`);
  const shell = new ShellOnPty(name, args, {
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    HOME: join(folder, 'home'),
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_CONFIG_HOME: join(folder, 'config'),
    ZOOSH_HOME: join(folder, 'zoosh'),
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    ...env,
  });
  await shell.until((text) => text.includes('READY>'), `the prompt of ${name}`);
  await shell.type('');
  return shell;
}

/** What is typed, with a Tab and one key more, and the words that the program must then be given. */
const INSERTED: readonly (readonly [what: string, line: string, words: readonly string[]])[] = [
  ['a command', 'getAllCh', ['getAllChildrenNumber', 'x']],
  ['a command of the program', 'playg', ['playground', 'x']],
  ['an option of a command', 'create --if', ['create', '--if-absent', 'x']],
  ['the long name of an option', 'get --bas', ['get', '--base64', 'x']],
  ['an option before the command', '--connect-t', ['--connect-timeout', 'x']],
  ['the value of an option', 'addWatch -m PERSISTENT_', ['addWatch', '-m', 'PERSISTENT_RECURSIVE', 'x']],
  ['the value of an option before the command', '-o nd', ['-o', 'ndjson', 'x']],
  ['a word of start', 'start ens', ['start', 'ensemble', 'x']],
  ['a local file', 'import no', ['import', 'nodes.ndjson', 'x']],
  ['a local file for a tool', 'verify no', ['verify', 'nodes.ndjson', 'x']],
  ['a local file for a program', 'lock /comp -- ./no', ['lock', '/comp', '--', './nodes.ndjson', 'x']],
  [
    'a file for an option of the program',
    'start server --config no',
    ['start', 'server', '--config', 'nodes.ndjson', 'x'],
  ],
  ['a file glued to its option', '--tls-ca=no', ['--tls-ca=nodes.ndjson', 'x']],
  ['a file glued to an option behind another', '--tls --tls-key=./no', ['--tls', '--tls-key=./nodes.ndjson', 'x']],
  ['an option of a form of start', 'start ensemble --base', ['start', 'ensemble', '--base-port', 'x']],
  ['a profile', 'use @pro', ['use', '@prod', 'x']],
  ['a live node with children, to go on', 'get /com', ['get', '/comp/x']],
  ['a live node without', 'get /comp/ch', ['get', '/comp/child', 'x']],
  ['a live node of a server said by its address', `${SERVER} get /comp/ch`, [SERVER, 'get', '/comp/child', 'x']],
  ['a live node of a server said by an option', `-s ${SERVER} get /comp/ch`, ['-s', SERVER, 'get', '/comp/child', 'x']],
  ['a live node with a space in its name', 'get /wi', ['get', '/with space', 'x']],
  ['the same in double quotes', 'get "/wi', ['get', '/with space', 'x']],
  ['the same in single quotes', "get '/wi", ['get', '/with space', 'x']],
  ['the same with its blank typed', 'get "/with s', ['get', '/with space', 'x']],
  ['an ACL, beyond its colons', 'setAcl /comp world:a', ['setAcl', '/comp', 'world:anyone:x']],
];

for (const name of Object.keys(SHELLS) as Shell[])
  test(`accept 21: ${name} completes commands, options and live paths, in time`, async (t) => {
    mkdirSync(join(folder, 'cwd'), { recursive: true });
    mkdirSync(join(folder, 'zoosh', 'config'), { recursive: true });
    writeFileSync(join(folder, 'zoosh', 'config', 'config.json'), '{"profiles":{"prod":{"server":"127.0.0.1:1"}}}', {
      mode: 0o600,
    });
    writeFileSync(join(folder, 'cwd', 'nodes.ndjson'), '');
    await timely(async () => {
      using shell = await shellOf(name, 'installed', { ZOOSH_SERVER: SERVER });
      await shell.type(`cd ${join(folder, 'cwd')}\r`);
      const times: number[] = [];
      let late = 0;
      for (const [what, line, words] of INSERTED) {
        let ran: string[] = [];
        // no answer is better than a late one, and on a busy machine one may be late
        for (let attempt = 0; attempt < 6; attempt++) {
          await shell.type(`zoosh ${line}`);
          const { ms, text } = await shell.tab();
          if (text !== '') times.push(ms);
          await shell.type('x');
          ran = await shell.ran();
          if (ran.join(' ') !== `${line}x`) break;
          late++;
          rmSync(join(folder, 'zoosh', 'cache'), { recursive: true, force: true });
        }
        if (ran.join(' ') === `${line}x`) return `${what}: nothing came in time, ${late} times in all`;
        assert.deepEqual(ran, words, `${what}: ${line}`);
      }
      // several: all are shown, and notes where the shell has room for them
      await shell.type('zoosh delete');
      const several = await shell.tab();
      times.push(several.ms);
      for (const each of ['delete', 'deleteall', ...(name === 'bash' ? [] : ['everything below it'])])
        if (!several.text.toLowerCase().includes(each)) return `no ${each} so far in ${several.text}`;
      const slowest = Math.max(...times);
      const middle = times.toSorted((a, b) => a - b)[times.length >> 1] as number;
      t.diagnostic(
        `21 ${name}: ${INSERTED.length + 1} completions, ${middle.toFixed(0)} ms in the middle, ${slowest.toFixed(0)} at most, ${late} gave up`,
      );
      const shown = times.map((ms) => ms.toFixed(0)).join(' ');
      return lateIf(late > 2 || middle >= LIMIT_MS, `${late} answers were too late; ${shown} ms`);
    });
  });

for (const name of Object.keys(SHELLS) as Shell[])
  test(`accept 21: ${name} sources what zoosh completion prints; silent when the server is down or does not answer`, () =>
    timely(async () => {
      rmSync(join(folder, 'zoosh', 'cache'), { recursive: true, force: true });
      let dialled = 0;
      let slowest = 0;
      const deaf = createServer((socket) => {
        dialled++;
        socket.on('error', () => {});
        socket.unref();
      });
      await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
      const address = deaf.address();
      assert.ok(address !== null && typeof address === 'object');
      try {
        using shell = await shellOf(name, 'sourced', { ZOOSH_SERVER: `127.0.0.1:${address.port}` });
        for (const server of ['127.0.0.1:1 ', '', '', '-o table ']) {
          await shell.type(`zoosh ${server}get /co`);
          const { text, ms } = await shell.tab();
          // a shell may draw its own line again
          assert.doesNotMatch(text.replaceAll('zoosh', ''), /error|refused|timed|time-out|connect|node:/i, text);
          slowest = Math.max(slowest, ms);
          await shell.type('x');
          assert.deepEqual(await shell.ran(), [...server.split(' ').filter((word) => word !== ''), 'get', '/cox']);
        }
        // a program that begins late dials no more, and a while may be over
        if (dialled !== 1) return `dialled ${dialled} times: after a failed connection nothing is tried for a while`;
        await shell.type('zoosh getAllCh');
        await shell.tab();
        await shell.type('x');
        const ran = await shell.ran();
        if (ran.join() === 'getAllChx') return 'no command came in time';
        assert.deepEqual(ran, ['getAllChildrenNumber', 'x'], 'commands need no server');
      } finally {
        deaf.close();
      }
      return lateIf(slowest >= LIMIT_MS + 200, `${slowest} ms`);
    }));
