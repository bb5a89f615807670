/** Every command of the shell; a new one is a new file and a line here. */

import { type CommandSpec, registryOf } from '../shell/command.ts';
import abortCommand from './abort.ts';
import aclCommand from './acl.ts';
import addWatchCommand from './add-watch.ts';
import addauthCommand from './addauth.ts';
import applyCommand from './apply.ts';
import assertCommand from './assert.ts';
import barrierCommand from './barrier.ts';
import benchCommand from './bench.ts';
import cdCommand from './cd.ts';
import checkCommand from './check.ts';
import clearCommand from './clear.ts';
import closeCommand from './close.ts';
import commitCommand from './commit.ts';
import configCommand from './config.ts';
import connectCommand from './connect.ts';
import countCommand from './count.ts';
import counterCommand from './counter.ts';
import cpCommand from './cp.ts';
import createCommand from './create.ts';
import deleteCommand from './delete.ts';
import deleteallCommand from './deleteall.ts';
import delquotaCommand from './delquota.ts';
import diffCommand from './diff.ts';
import doctorCommand from './doctor.ts';
import duCommand from './du.ts';
import eachCommand from './each.ts';
import echoCommand from './echo.ts';
import editCommand from './edit.ts';
import electCommand from './elect.ts';
import ensembleCommand from './ensemble.ts';
import eventsCommand from './events.ts';
import existsCommand from './exists.ts';
import exportCommand from './export.ts';
import findCommand from './find.ts';
import fourLetterWordsCommand from './four-letter-words.ts';
import getCommand from './get.ts';
import getAclCommand from './get-acl.ts';
import getAllChildrenNumberCommand from './get-all-children-number.ts';
import getEphemeralsCommand from './get-ephemerals.ts';
import grepCommand from './grep.ts';
import helpCommand from './help.ts';
import historyCommand from './history.ts';
import importCommand from './import.ts';
import latencyCommand from './latency.ts';
import letCommand from './let.ts';
import listquotaCommand from './listquota.ts';
import lockCommand from './lock.ts';
import locksCommand from './locks.ts';
import lsCommand from './ls.ts';
import mirrorCommand from './mirror.ts';
import mkdirCommand from './mkdir.ts';
import mvCommand from './mv.ts';
import printwatchesCommand from './printwatches.ts';
import profileCommand from './profile.ts';
import putCommand from './put.ts';
import pwdCommand from './pwd.ts';
import queueCommand from './queue.ts';
import quitCommand from './quit.ts';
import quotaCommand from './quota.ts';
import reconfigCommand from './reconfig.ts';
import redoCommand from './redo.ts';
import removewatchesCommand from './removewatches.ts';
import repeatCommand from './repeat.ts';
import runCommand from './run.ts';
import semaphoreCommand from './semaphore.ts';
import sessionCommand from './session.ts';
import setCommand from './set.ts';
import setAclCommand from './set-acl.ts';
import setquotaCommand from './setquota.ts';
import settingsCommand from './settings.ts';
import sleepCommand from './sleep.ts';
import smoketestCommand from './smoketest.ts';
import statCommand from './stat.ts';
import statusCommand from './status.ts';
import syncCommand from './sync.ts';
import timeCommand from './time.ts';
import topCommand from './top.ts';
import topNodesCommand from './top-nodes.ts';
import touchCommand from './touch.ts';
import treeCommand from './tree.ts';
import txnCommand from './txn.ts';
import undoCommand from './undo.ts';
import unwatchCommand from './unwatch.ts';
import useCommand from './use.ts';
import versionCommand from './version.ts';
import waitCommand from './wait.ts';
import watchCommand from './watch.ts';
import watchesCommand from './watches.ts';
import whoCommand from './who.ts';
import whoamiCommand from './whoami.ts';

const COMMANDS: readonly CommandSpec[] = [
  addWatchCommand,
  addauthCommand,
  cdCommand,
  closeCommand,
  configCommand,
  connectCommand,
  createCommand,
  deleteCommand,
  deleteallCommand,
  delquotaCommand,
  existsCommand,
  getAclCommand,
  getAllChildrenNumberCommand,
  getEphemeralsCommand,
  getCommand,
  helpCommand,
  historyCommand,
  listquotaCommand,
  lsCommand,
  mkdirCommand,
  printwatchesCommand,
  profileCommand,
  putCommand,
  pwdCommand,
  quitCommand,
  reconfigCommand,
  redoCommand,
  removewatchesCommand,
  setAclCommand,
  setCommand,
  setquotaCommand,
  settingsCommand,
  statCommand,
  syncCommand,
  treeCommand,
  useCommand,
  versionCommand,
  whoamiCommand,
  sessionCommand,
  watchCommand,
  watchesCommand,
  touchCommand,
  echoCommand,
  sleepCommand,
  assertCommand,
  repeatCommand,
  timeCommand,
  eachCommand,
  waitCommand,
  fourLetterWordsCommand,
  ensembleCommand,
  findCommand,
  aclCommand,
  applyCommand,
  countCommand,
  cpCommand,
  diffCommand,
  doctorCommand,
  duCommand,
  editCommand,
  eventsCommand,
  exportCommand,
  grepCommand,
  importCommand,
  latencyCommand,
  benchCommand,
  smoketestCommand,
  mirrorCommand,
  mvCommand,
  quotaCommand,
  statusCommand,
  topCommand,
  topNodesCommand,
  undoCommand,
  unwatchCommand,
  whoCommand,
  txnCommand,
  checkCommand,
  commitCommand,
  abortCommand,
  letCommand,
  runCommand,
  clearCommand,
  lockCommand,
  locksCommand,
  electCommand,
  semaphoreCommand,
  barrierCommand,
  queueCommand,
  counterCommand,
];

export const registry = registryOf(COMMANDS);
