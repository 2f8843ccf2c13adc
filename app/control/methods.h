// The methods of the control protocol: the one list that the engine's handlers, the command line and the
// window are written against.
//
// Conventions
// - Parameters and results are JSON objects with the members named here; `?` marks one that may be absent (in
//   parameters) or null (in results). Clients ignore members that they do not know, and so may the engine.
// - Any method may answer {"job": ID} in place of its result when it takes long; `job.wait` {"id": ID} then
// answers
//   the result proper. Clients follow that by themselves (ControlClient::request).
// - Times are ISO 8601 strings with zone, LSNs "0/16B3748" strings, sizes and counts integers, ids integers.
//   Parameters that say POS take what position_spec.h parses, DURATION and SIZE what units.h parses; both as
//   text.
// - Errors carry a kind (storage/base/status.h): not-found, already-exists, invalid-argument, refused ...
// - An engine whose directory holds no store answers store.init, engine.status and engine.stop; everything
// else with
//   not-found and the sentence of noStoreMessage().
//
// Branch = {name, id, parent?, forkLsn?, headLsn, state, port?, socketDir?, privateBytes, createdAt,
//           root: bool, protected: bool, expiresAt?, timeline, pgMajor, error? (why state is failed),
//           forkTime?, headTime?, startedAt?, sessions?, sharedBytes?, historyBytes?, children: count,
//           checkpoints: count, warnings?: [text] (what the last start found that acts on the outside),
//           allowed: [text] (the rules of a fork that are lifted),
//           peeks?: [{id, lsn, openedAt, offLine: bool}], branchPoint?: {lsn, time}}
//   sessions: of clients, counted once a second while it runs.
//   peeks: those that answer; offLine: at what a restore left behind.
//   parent: name; null for a root, and for a child whose parent was deleted (forkLsn is then not null).
//   forkLsn: of its present timeline; a restore makes another one, forked from the branch's own past.
//   branchPoint: where it left another branch's line, whatever it was restored to since.
//   state: "stopped" | "starting" | "running" | "stopping" | "failed".
// Checkpoint = {name, branch, lsn, time?, createdAt, offLine: bool, onlyBytes?}
// Trashed    = {name, id, deletedAt, freedAt?, reason: "delete"|"restore"|"reset"|"expired", headLsn,
// privateBytes?}
//   name is what trash.restore takes.
// Operation  = {id, time, client, kind, text, branch?, undone: bool, undoable: bool, command?, of?}
//   of: the text of what an undo took back or a redo made again
// Mark       = {kind, lsn, time?, before?: LSN, branch?, name?, xid?, text?, removedFiles?: count,
//               removed?: ["DATABASE OID/RELFILENODE"]}
//   kind: "fork" | "checkpoint" | "restore-point" | "commit" | "drop" | "postgres-checkpoint" | "start" |
//   "stop".
//   before: the last LSN at which nothing of what the mark tells was done yet: where to fork to have a
//   dropped table or database back. removed: the first 64 files that a commit removed; removedFiles: how many
//   it did.
// Job        = {id, kind, title, client, state: "running"|"done"|"failed"|"cancelled", fraction? (0..1),
// text,
//               bytes, startedAt, finishedAt?, error? {kind, message}}
#pragma once

#include <string>
#include <string_view>

namespace arbor::method {

// --- the server's own

// {protocol, program, store?} -> {protocol, program, store, instance, pid}. Always the first request.
inline constexpr char hello[] = "hello";
// {} -> {}
inline constexpr char ping[] = "ping";
// {kinds?: [text]} -> {}. Without kinds: all.
inline constexpr char subscribe[] = "subscribe";
inline constexpr char unsubscribe[] = "unsubscribe";

// --- jobs (JobTable answers them)

// {} -> {jobs: [Job]}: those that run, and the last that ended
inline constexpr char jobList[] = "job.list";
// {id} -> what the job's method would have answered, when the job has ended
inline constexpr char jobWait[] = "job.wait";
// {id} -> Job. Asks the job to stop; it ends as cancelled when it has.
inline constexpr char jobCancel[] = "job.cancel";

// --- engine

// {} -> {running: true, store, storeOpen: bool, pid, version, startedAt, runAs, pgBinDirs: [{major, path}],
//        mount?, branches?: count, runningEndpoints?: count, jobs: count, readOnly?: bool, problem?: text}
inline constexpr char engineStatus[] = "engine.status";
// {} -> {}. Stops every endpoint, unmounts, answers, and ends. The connection closing is the end of it.
inline constexpr char engineStop[] = "engine.stop";

// --- store

// {demo: bool, pgBin?: path, initdbOptions: [text]} -> {store, branch: Branch}; already-exists when there is
// a store, not-found when pgBin holds no server
inline constexpr char storeInit[] = "store.init";
// One of {directory} (a stopped data directory), {from: URL} (a live server) and {dump: path} (of pg_dump or
// pg_dumpall), with {name, superuser?, database?: of a dump without a name, jobs?: that restore side by side}
// -> {branch: Branch, bytes, report: [text]: what was changed and left out, errors: [text], errorCount: of a
// dump}
inline constexpr char storeImport[] = "import";
// Without name -> {pgMajor, bytes, freeBytes, fits: bool, report: [text]}; writes nothing, needs no store
inline constexpr char importCheck[] = "import.check";
// {branch, at?: POS, directory} or {branch, at?: POS, dump: path, database?} -> {directory? | dump?, bytes,
// lsn, checkedPages?, report: [text], message?}
inline constexpr char storeExport[] = "export";
// {} -> {checkedBytes, checkedImages, problemCount, problems: [text]: the first 100 of them}
inline constexpr char scrub[] = "scrub";

// --- branches

// {name, from, at?: POS, expires?: DURATION, start?: bool} -> Branch
inline constexpr char branchCreate[] = "branch.create";
// {} -> {branches: [Branch]}, parents before children
inline constexpr char branchList[] = "branch.list";
// {name} -> Branch + {checkpointList: [Checkpoint], historyFrom: {lsn, time}?, logicalBytes?, walBytes?,
// warnings: [text]}
inline constexpr char branchShow[] = "branch.show";
// {name} -> {parent?, files: [{file, pages, differing?}]}: of every relation's main files, as base/5/16384
// and base/5/16384.1, how many pages they have and how many of them are not the parent's: what either side
// has written since the fork, as far as its PostgreSQL has written it to the disk. parent: null for a root,
// and when the parent is gone; differing then too
inline constexpr char branchDifference[] = "branch.difference";
// {name, newName} -> Branch
inline constexpr char branchRename[] = "branch.rename";
// {name} -> Trashed
inline constexpr char branchDelete[] = "branch.delete";
// {name, at: POS} -> Branch + {trashed: name?, message?}
inline constexpr char branchRestore[] = "branch.restore";
// {name} -> Branch + {trashed: name?}
inline constexpr char branchReset[] = "branch.reset";
// {name} -> Branch
inline constexpr char branchProtect[] = "branch.protect";
inline constexpr char branchUnprotect[] = "branch.unprotect";
// {name, after: DURATION | "never"} -> Branch
inline constexpr char branchExpire[] = "branch.expire";

// {name, rules: [text]} -> Branch + {message?}: what the branch's server may do to the outside world, though
// it is a fork; allow adds to that, forbid takes away. Holds from its next start on. Refused for a root,
// whose server acts as its own configuration says.
inline constexpr char branchAllow[] = "branch.allow";
inline constexpr char branchForbid[] = "branch.forbid";

// {} -> {trash: [Trashed]}
inline constexpr char trashList[] = "trash.list";
// {name} -> Branch
inline constexpr char trashRestore[] = "trash.restore";

// {name, branch, at?: POS} -> Checkpoint
inline constexpr char checkpointCreate[] = "checkpoint.create";
// {branch?} -> {checkpoints: [Checkpoint]}
inline constexpr char checkpointList[] = "checkpoint.list";
// {name, branch} -> Checkpoint
inline constexpr char checkpointDelete[] = "checkpoint.delete";

// --- endpoints

// {name} or {all: true} -> {branches: [Branch]}. start answers when queries are; all three succeed when there
// is nothing to do. With all: start means every branch that is not running.
inline constexpr char endpointStart[] = "endpoint.start";
inline constexpr char endpointStop[] = "endpoint.stop";
inline constexpr char endpointRestart[] = "endpoint.restart";
// {name, tcp?: bool} -> {socketDir, host, port, user, database, password?, passwordFile?, url, running: bool,
//                        pgBinDir, env: {PGHOST, PGPORT, PGUSER, PGDATABASE ...}}
// Starts nothing: port and socket directory belong to the branch whether or not it runs. host is socketDir,
// or 127.0.0.1 with tcp (then password is set, and url holds it).
inline constexpr char endpointConnection[] = "endpoint.connection";
// {name, bytes?: count} -> {file, text, size}: the last lines of the server's log, at most `bytes` of them;
// an empty text when it was never started
inline constexpr char endpointLog[] = "endpoint.log";
// {branch, at: POS} -> {peek: ID, lsn, message?} + what endpoint.connection answers, when queries are
// answered. A peek lives as long as the connection that opened it: the engine removes it when that closes
// (ControlServer:: connectionClosed), or at peek.close {peek: ID} -> {}.
inline constexpr char peekOpen[] = "peek.open";
inline constexpr char peekClose[] = "peek.close";

// --- history

// {branch, from?: POS, to?: POS, limit?: count, after?: cursor} -> {marks: [Mark], next?: cursor, fromLsn,
// toLsn}; in order of LSN; `next` when there are more
inline constexpr char timelineMarks[] = "timeline.marks";
// {branch, at: POS} -> {lsn, time?, message?, commitBefore?: {lsn, time, xid}, walBehindHead, isHead: bool}
inline constexpr char timelineResolve[] = "timeline.resolve";
// {branch, from?: POS, to?: POS, limit?: count} -> {points: [{lsn, time, commits}], fromLsn, toLsn}: how time
// and the number of commits went with the log, at most `limit` points, in order of LSN; time is that of the
// latest commit
inline constexpr char timelineCurve[] = "timeline.curve";
// {limit?} -> {operations: [Operation]}, newest first
inline constexpr char oplogList[] = "oplog.list";
// {id?} -> {operation: Operation}; without id the last one not undone
inline constexpr char oplogUndo[] = "oplog.undo";
// {} -> {operation: Operation}; refused when there is nothing to redo
inline constexpr char oplogRedo[] = "oplog.redo";

// --- space

// {branch?, relations?: count} -> {branches: [{name, privateBytes, sharedBytes, historyBytes,
// logicalBytes?}],
//   sharedBytes, historyBytes, garbageBytes, trashBytes, pagesBytes, walBytes, indexBytes, diskBytes,
//   freeBytes, warning?: text, limitState?: 1 the disk or disk-limit will be full soon, 2 it is,
//   remedies?: [{what, text, bytes}]: with a warning, what would give back most}
// The private bytes of all branches + sharedBytes + historyBytes + garbageBytes = diskBytes (pages and WAL).
// With branch: only its element in branches, and relations: [{file?, database?, relation?: SCHEMA.NAME,
//   kind?, gone: bool, privateBytes, pinnedBytes}], largest first, as many as `relations`: count says
inline constexpr char stats[] = "stats";
// {from?, to?: times, limit?: count} -> {samples: [{time, liveBytes, windowBytes, pinnedBytes, trashBytes,
// garbageBytes, logicalBytes, indexBytes, freeBytes}], growthBytesPerSecond, fullAt?}: where the bytes were
// over time, and when the disk (or disk-limit) is full if it goes on like that
inline constexpr char samples[] = "stats.samples";
// {without?: ["branch:N" | "checkpoint:N@BRANCH"], history?: DURATION, check?: bool} -> {freeBytes,
// diskBytes,
//   pins: [{kind, name, branch, fromLsn, toLsn, onlyBytes}], limitBytes?, limitPassed?: bool, limitText?}
// limitPassed and limitText with check.
inline constexpr char gcPlan[] = "gc.plan";
// {} -> {plannedBytes, freedBytes, bytesMoved}
inline constexpr char gcRun[] = "gc.run";
// {branch, relation, from?: block, blocks?: count, cells?: count} -> {file, blocks: the relation's, from,
//   perCell, timelines: [{timeline, branch?, pages}], cells: [number]}: where the pages come from that the
//   branch reads now, as far as its PostgreSQL has written them to the disk. The timelines in the order in
//   which they are asked, the branch's own first, with how many of the pages are theirs; a cell is perCell
//   pages and says the first of the timelines that any of them is read from, -1 where none was ever written
inline constexpr char pageMap[] = "page.map";
// {branch, relation, block, at?: POS} -> {relation, file, block, at, found: bool, timeline?, branch?,
// position?, lsn?,
//   pageLsn?, segment?, offset?, storedBytes?, readTimelines: count, versions: [{branch?, timeline, position,
//   lsn, storedBytes}]}, newest version first
inline constexpr char pageTrace[] = "page.trace";
// {} -> {metrics: [{name, labels: {}, value, type: "counter"|"gauge", help}]}
inline constexpr char metrics[] = "metrics";

// {key?} -> {settings: {KEY: VALUE}}, values as text with unit
inline constexpr char settingsGet[] = "settings.get";
// {key, value} -> {settings: {KEY: VALUE}}
inline constexpr char settingsSet[] = "settings.set";

} // namespace arbor::method

namespace arbor {

// Kinds of event. Payloads are hints to ask again, apart from "job".
namespace event {
inline constexpr char job[] = "job";           // Job: progress at 10 Hz, and its end
inline constexpr char branches[] = "branches"; // {changed, removed: [name]}: states, trash, peeks, clients
inline constexpr char marks[] = "marks";       // {branch}: its timeline has new marks or another head
inline constexpr char oplog[] = "oplog";       // Operation
inline constexpr char settings[] = "settings"; // {settings: {KEY: VALUE}} that changed
inline constexpr char stats[] = "stats";       // {}: sizes changed, or how near they are to a limit
inline constexpr char warning[] = "warning";   // {text, branch?}: for people
inline constexpr char endpoint[] =
    "endpoint"; // {branch, state, text?: the failure, warnings?: [text] as in Branch}
} // namespace event

// What every method but the three says where there is no store.
inline std::string noStoreMessage(std::string_view directory) {
    return "no store at " + std::string(directory) + "; make one with pgarborctl init";
}

} // namespace arbor
