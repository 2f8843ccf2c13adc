<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" sourcelanguage="en">
<context>
    <name>Preflight</name>
    <message>
        <source>PostgreSQL is not installed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PgArbor runs the PostgreSQL of your distribution (14 or later). Install it, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>FUSE is not available</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Branches are served to PostgreSQL through /dev/fuse, which is missing or closed to you. Install fuse3 and load its module, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The store was made by a newer PgArbor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 has a format that this version does not know. Nothing was changed. Install a newer PgArbor, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The store is in use</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Another engine has %1 open, perhaps of another user. Stop it, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The disk is full</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no space left for %1. Free some, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The engine is not installed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The program pgarbord was not found. Install it beside the window, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The store may not be opened</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>You have no permission for %1. Open it as its owner.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The store cannot be opened</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The engine could not serve %1.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The store takes no more writes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The demo could not be made</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A program of PostgreSQL that fills it failed. Nothing of it is left. See below what it said, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>QObject</name>
    <message>
        <source>Git-like branches of a PostgreSQL database.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The store to open.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The socket of a running engine, whatever its store.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make the demo if there is no store yet.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor</name>
    <message>
        <source>now</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>ms</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::ActivityPanel</name>
    <message>
        <source>When</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Operation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Client</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>State</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Activity</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo this operation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>undone</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show command</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1
Press to copy it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The pgarborctl command that does the same</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::BranchArea</name>
    <message>
        <source>Branches</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::BranchDelegate</name>
    <message numerus="yes">
        <source>%n failed</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n running</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
</context>
<context>
    <name>arbor::BranchTimelineView</name>
    <message>
        <source>Time</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Timeline by time</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LSN</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Timeline by LSN</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::BranchTreeModel</name>
    <message>
        <source>Stopped</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Starting</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Running</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stopping</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 at %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 bytes only this branch needs</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n child branch(es)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n checkpoint(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1, group of %n branch(es)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>from %1 to %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How long ago the branch last changed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bytes on disk that only this branch needs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Child branches and checkpoints that keep its history</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>State</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Head</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pins</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Timeline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Private</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>peek at %1</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::BranchTreeView</name>
    <message>
        <source>Branches</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Comma and period step through the marks of a branch, W A S D zoom and pan.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>transaction %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No branch matches</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Peek at %1, open since %2</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::CommandPalette</name>
    <message>
        <source>Search or run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search branches and actions</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Found</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::ExportDialog</name>
    <message>
        <source>Close</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 as it is now</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 at %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A d&amp;ump</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose where</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All, as a script of pg_dumpall</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Data&amp;base</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;To</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Report</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A directory that is new or empty</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Exporting %1 to %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 as of %2 were written to %3</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 pages were compared with their checksums as they were written</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The export was cancelled</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing of it is left.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The export failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A &amp;data directory that a plain PostgreSQL opens</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::FirstRunPage</name>
    <message>
        <source>Branches for PostgreSQL</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fork a database in an instant, look at any moment of its past, and go back to it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try the demo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A small bank with two branches, some checkpoints, and a DROP TABLE to go back before.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New cluster</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>An empty PostgreSQL database with the branch main, ready for your own data.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a store</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A store that is somewhere else on this machine.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A new store is made in %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bring your own database</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A data directory, a running server or a dump, beside an empty main.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::ImportDialog</name>
    <message>
        <source>Back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bring your own database</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a directory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A &amp;data directory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Of a server on this machine that is stopped, or has crashed. It is copied and stays as it is.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A running &amp;server</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copied over the network by pg_basebackup while it goes on working. It is only read.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A d&amp;ump</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Of pg_dump, in any of its formats, or of pg_dumpall.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Directory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Address</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Password</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>None, or from the engine&apos;s .pgpass</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>File</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Name of the branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The path begins with /.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Look at it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Import</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Version</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Space</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rights</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What will be different</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking at it…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It cannot be brought in as it is</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It can be brought in</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is not enough room for it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PostgreSQL %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The server does not say</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 are free in the store</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The role may copy the server</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The engine can read it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What will be different in the branch:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Importing %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Report</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 is there: %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>The dump was restored with %n error(s):</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>The import was cancelled</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The import failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing of it is left in the store.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>main is the first branch of the store that will be made for it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 are free where the store will be made</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1: make room first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Making a store for it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing had to be changed.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::Inspector</name>
    <message>
        <source>stopped</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>starting…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>running</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>stopping…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Select a branch to see what it is and what can be done with it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Connect</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>More</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>More actions on the branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Head</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Forked</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>History</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Private</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Shared</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pins</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Expires</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Endpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PostgreSQL %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>root</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>protected</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1
%2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>from %1 at %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>at %1, from a branch that is gone</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>since %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n child branch(es)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n checkpoint(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>%1, in %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>port %1, up %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>port %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Allowed</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::JobModel</name>
    <message>
        <source>Running</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Job</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Progress</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Detail</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Time</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::JobsPopup</name>
    <message>
        <source>done in %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>cancelled after %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>failed after %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Jobs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing is being done.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel: %1</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::KeyList</name>
    <message>
        <source> or </source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keys</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>With the mouse</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Click</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Place the cursor; it snaps to marks, with Alt it does not</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Wheel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Scroll; with Ctrl zoom, with Shift move along the timeline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drag the history&apos;s edge</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>See what another history window frees; Escape leaves it as it was</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>With the arrows</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The branch above or below</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close or open what stands below the branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Move the cursor by a pixel; with Ctrl by ten</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::LogPanel</name>
    <message>
        <source>Log of the branch&apos;s PostgreSQL</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy the log</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Select a branch to see the log of its PostgreSQL.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 has not been started yet.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::MainWindow</name>
    <message>
        <source>Start the engine</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tools</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Store</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Branch here</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search or run…   %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search or run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Navigator</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Inspector</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Activity</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Log</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Relations</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copied: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The engine is being started…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The engine is gone. What you see is the last that was known; it is tried again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Opening the store</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 – PgArbor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1. %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy command</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Making the store</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n job(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Jobs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>● Now</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>◆ %1 at %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Actions go to the head of the selected branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Actions go to the cursor; Escape takes it away</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing to undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Redo: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing to redo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is a branch %1 already.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 has a checkpoint %2 already.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rename %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rename</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete %1 by itself after (never, 7d, 12h …)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Set expiry</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a store</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>An empty directory for the new store</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Panels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Storage</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reclaim</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PgArbor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A table was dropped on %1: the last red mark on its bar. Click it to go to the moment before, then press Space to look, B to branch or R to restore.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show me</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What helps most: %1.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Free space</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>needs a store</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>needs the engine</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>needs a branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>nothing to undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>nothing to redo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it is protected</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it runs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it does not run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a root has no parent</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>needs a cursor</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::MarksStore</name>
    <message>
        <source>Fork</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Restore point</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Commit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Postgres checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::MessageBar</name>
    <message>
        <source>Close this message</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::NameEditor</name>
    <message>
        <source>New branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name of the new branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name of the new checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Branch name</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checkpoint name</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>When the new branch expires</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>never expires</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>expires in 1 h</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>expires in 1 d</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>expires in 7 d</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>expires in 30 d</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Letters, digits and - _ . / only, beginning with a letter or digit, at most 63</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::NamePopup</name>
    <message>
        <source>Expires after</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>never (or 7d, 12h …)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::Navigator</name>
    <message>
        <source>Filter branches</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Words of the name, or state:running, is:protected, is:expiring, is:root</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Navigator</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%1, %n item(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Branches</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>off the line</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 on %2 at %3, %4</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 expires %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1, in the trash since %2, gone %3. Press Enter to bring it back.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checkpoints</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>None yet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Expiring</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>None</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Trash</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Empty</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bring back %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete checkpoint %1</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::OperationLogModel</name>
    <message>
        <source>%1 (undone)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>When</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Operation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>By</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::OutsideMenu</name>
    <message>
        <source>archive its log</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>send its log to standbys</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>keep its parent&apos;s replication slots</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>wait for synchronous standbys</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>follow its parent&apos;s primary</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>run its subscriptions</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>run scheduled jobs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Allow on the outside</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A fork does nothing of this by itself, so that it does not act as its parent</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::PageMapView</name>
    <message>
        <source>Page map</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Block %1, never written</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Block %1, from %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Blocks %1 to %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1, never written</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1, some written on %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1, from %2</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::PagePanel</name>
    <message>
        <source>history window of %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>checkpoint %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 in the trash</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>written just now</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>written %1 ago</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>at %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 on disk</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Relations</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back to the relations (Escape)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Whole relation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Block</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Block</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Versions of the page</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pages of %1 as %2 reads them</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Asking…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a branch that is gone</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It has no pages yet.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a page to see where a read of it is answered from.</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>A cell is %n page(s). Choose one to see them one by one.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>never written</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Asked: %1.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Block %1 was never written and reads as zeros. %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Block %1 is read from %2: %3. %4</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>fork point of %1</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::PageVersionsModel</name>
    <message>
        <source>%1, read now</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a branch that is gone</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>nobody: the next sweep frees it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>many</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Its place in the store&apos;s order of writes, which counts all branches</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Written</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>On</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LSN</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Position</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>On disk</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Kept by</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::PinsModel</name>
    <message>
        <source>%1 frees %2.</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>These %n together free %1</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>one by one %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1; %2, because they share %3.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 to %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What pins</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Kind</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LSN range</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only it keeps</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::PointPanel</name>
    <message>
        <source>Position</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A position: head, 0/16B3748, 2026-01-31 12:00:00+01, -10min, checkpoint:NAME or xid:N</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>At the head</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>At the cursor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 and %2 of WAL behind the head</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 of WAL behind the head</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Last commit %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LSN, time, -10min, checkpoint:NAME</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::PositionField</name>
    <message>
        <source>Position</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Position of the cursor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>An LSN, a time with zone, -10min, head, checkpoint:NAME or xid:N</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>head</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 behind head</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1, %2 behind head</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>after commit of transaction %1 at %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 behind</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1  ·  %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 · %2</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::PreferencesDialog</name>
    <message>
        <source>History by time</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How far back any position may be forked, as 7d or 12h; 0: no limit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>History by WAL</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How much WAL of a branch is kept, as 20GB; 0: no limit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Trash</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How long what was deleted can be brought back, as 7d</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Disk limit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How much the store should occupy, as 100GB; 0: no limit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop when idle</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>After how long without use a branch is stopped, as 30min; 0: never</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Preferences</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Found by itself</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A program and its options, as: foot --app-id=psql</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As the desktop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Light</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dark</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This window</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Terminal</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Appearance</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The store</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::ProblemPage</name>
    <message>
        <source>Copy command</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Command</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open another store…</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::ReclaimPanel</name>
    <message>
        <source>branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>trash</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>history window</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>reader</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>everything in the trash</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove for good</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What keeps bytes on disk</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Free</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>20 GB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How much to free</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Propose</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ticks a short list that frees this much: the trash first, then what has not been used for longest; never what is protected, runs or is a root</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;History window</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>History window</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>as it is set</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Speed of the sweep</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How much a sweep moves a second: less disturbs what runs less</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>full speed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Untick all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Sweep</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Progress of the sweep</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>With a history of %1, %2 are no longer needed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing is freed while something cannot be read: %1.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A sweep gives nothing back yet: too little of each segment is garbage.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is nothing to sweep.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A sweep then gives back %1 of the disk.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove and sweep…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How much? Write it as 20GB or 500MB.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking for a short list…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No list frees %1. </source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>history older than %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1

These are removed for good and cannot be brought back.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Beginning…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>freed %1 of %2 · %3/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Freed %1 of %2 planned.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::RelationsModel</name>
    <message>
        <source>Written here or on the parent since the fork, as far as it has reached the disk</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PostgreSQL&apos;s estimate, of the last ANALYZE</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>~%1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Relation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Schema</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Database</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Kind</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rows</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pages that differ</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bytes on disk that only this branch needs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Older versions, kept by the history window or a checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Private</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>History</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::RelationsPanel</name>
    <message>
        <source>index</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>materialized view</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>partitioned table</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>sequence</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>table</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Database</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Relations</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Select a branch to see what lies in it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Asking…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No tables yet</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n relation(s), %1</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Pages that differ are those that %1 or %2 has written since the fork.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>TOAST table</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What %1 keeps on disk; how large its relations are is known while it runs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>catalogs and other files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>dropped or rewritten files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 (gone)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All databases</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n database(s), %1. Open one to see its relations.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>shared catalogs and other files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pages</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where a read of each page is answered from (Enter)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::RestorePanel</name>
    <message>
        <source>Restore</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Restore %1 to %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking at what that would mean…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Restore %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The branch is gone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 is protected. Take the protection away first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back %1: the last %2 of WAL.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back by the last %1 of WAL.</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n session(s) end; PostgreSQL starts again.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Its sessions end; PostgreSQL starts again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n child branch(es) stay as they are.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n later checkpoint(s) go off the line.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>The present head is kept in the trash for %1; Undo brings it back.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This is the head: there is nothing to take back. Put the cursor earlier.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nobody is connected; PostgreSQL starts again.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::StoragePanel</name>
    <message>
        <source>Drag over the plot to measure; Ctrl+wheel zooms.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Free space</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As a picture (PNG)…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As numbers (CSV)…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 on disk now.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1%2 a day.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Full at %1 if it goes on like this.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What helps most: %1.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The first sample is taken within a minute.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No samples there</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In %1: %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> (%1)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 to %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pictures (*.png)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Numbers (*.csv)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 could not be written.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::StoragePlot</name>
    <message>
        <source>Storage over time</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>what databases occupy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>live</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>history window</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>pinned</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>trash</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>garbage</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::StoreCommands</name>
    <message>
        <source>%1: %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Branch %1 made from %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Branch %1 made from %2: %3</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checkpoint %1 made on %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checkpoint %1 was not deleted</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checkpoint %1 of %2 deleted</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 was not renamed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 renamed to %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 was not deleted</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 is in the trash</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 was not restored</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 restored to %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 restored to %2: %3</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 was not reset</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 reset to the head of its parent</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The protection of %1 was not changed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 is protected</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 is not protected</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The expiry of %1 was not changed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 expires %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 never expires</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 was not brought back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 is back from the trash</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 was not started</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 was not stopped</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 was not restarted</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing was undone</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undone: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Redo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing was redone</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Redone: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The setting %1 was not changed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 is now %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The store was not found whole</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The first of %1: %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Everything is whole: %1 checked</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The job was not cancelled</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>psql on %1 opens in your terminal</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>psql peeks at %1 at %2 in your terminal; the peek is gone when you leave it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The terminal %1 could not be started. Run this in one:  %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No terminal was found (Preferences names one). Run this in one:  %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy command</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The URL of %1 is not known</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>URL of %1 copied, with its password</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>URL of %1 copied</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How to connect to %1 is not known</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Environment of %1 copied</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The branches are not known</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Service file written; a command that uses it is copied</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What %1 may do was not changed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 may %2, from the next start of its server on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 may no longer %2, from the next start of its server on</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::TimelineHeader</name>
    <message>
        <source>Columns and axis</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Click a point of a bar: every moment can become a branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The history window begins at %1. Drag to see what another one frees.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Click a bar to branch there</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::TimelineOverview</name>
    <message>
        <source>Overview of the whole log</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Left and right move the part in view, plus and minus zoom, 0 shows everything.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The log of all branches. Drag a handle to zoom, double click to see everything.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::TransferProgress</name>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Progress</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It goes on when this is closed; Jobs shows it then.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelling…</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::WaitPage</name>
    <message>
        <source>Progress</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::WindowActions</name>
    <message>
        <source>At the cursor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Branch here…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make a branch at the cursor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Peek</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a read-only psql at the cursor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Restore to here…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take the branch back to the cursor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Checkpoint here…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name the position at the cursor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Previous mark</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Next mark</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The selected branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open &amp;psql</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open psql on the branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy &amp;URL</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy URL with &amp;password (TCP)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy &amp;environment</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy PGHOST, PGPORT and the others</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Write &amp;service file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Write a PGSERVICEFILE with a service for each branch, and copy a command that uses it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start the branch&apos;s PostgreSQL</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>S&amp;top</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop the branch&apos;s PostgreSQL</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rest&amp;art</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop and start the branch&apos;s PostgreSQL</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Rename…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>R&amp;eset to the parent&apos;s head</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Throw away what the branch wrote</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pr&amp;otected</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Refuse to delete, restore or reset the branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>E&amp;xpiry…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete the branch by itself after some time</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Delete</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Move the branch to the trash</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show &amp;only its family</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The timeline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Zoom in</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Zoom out</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Earlier</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Later</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fit the selection</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show everything</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Finding your way</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search or run…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All actions and branches</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Filter branches</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the navigator</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the branches</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the inspector</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the panels below</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Jobs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What is being done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keys</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The store</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Redo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Open a store…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;New cluster…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make a new store with an empty database</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try the &amp;demo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make a small bank with a past worth looking at</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Check the store</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Read everything and compare it with its checksums</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Preferences…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Stop the engine</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop every branch and the engine, and leave</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close the window; branches go on running</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Restore…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Write the branch, at the cursor, as a data directory or a dump</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back to the head: no cursor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make a branch of a data directory, a running server, or a dump</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Bring your own database…</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>arbor::format</name>
    <message>
        <source>w</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>d</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>h</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>min</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>s</source>
        <translation type="unfinished"></translation>
    </message>
</context>
</TS>
