<?xml version='1.0' encoding='utf-8'?>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>arbor::BranchDelegate</name>
    <message numerus="yes">
        <source>%n failed</source>
        <translation>
            <numerusform>%n failed</numerusform>
            <numerusform>%n failed</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n running</source>
        <translation>
            <numerusform>%n running</numerusform>
            <numerusform>%n running</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>arbor::BranchTreeModel</name>
    <message numerus="yes">
        <source>%n child branch(es)</source>
        <translation>
            <numerusform>%n child branch</numerusform>
            <numerusform>%n child branches</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n checkpoint(s)</source>
        <translation>
            <numerusform>%n checkpoint</numerusform>
            <numerusform>%n checkpoints</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1, group of %n branch(es)</source>
        <translation>
            <numerusform>%1, group of %n branch</numerusform>
            <numerusform>%1, group of %n branches</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>arbor::ImportDialog</name>
    <message numerus="yes">
        <source>The dump was restored with %n error(s):</source>
        <translation>
            <numerusform>The dump was restored with %n error:</numerusform>
            <numerusform>The dump was restored with %n errors:</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>arbor::Inspector</name>
    <message numerus="yes">
        <source>%n child branch(es)</source>
        <translation>
            <numerusform>%n child branch</numerusform>
            <numerusform>%n child branches</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n checkpoint(s)</source>
        <translation>
            <numerusform>%n checkpoint</numerusform>
            <numerusform>%n checkpoints</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>arbor::MainWindow</name>
    <message numerus="yes">
        <source>%n job(s)</source>
        <translation>
            <numerusform>%n job</numerusform>
            <numerusform>%n jobs</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>arbor::Navigator</name>
    <message numerus="yes">
        <source>%1, %n item(s)</source>
        <translation>
            <numerusform>%1, %n item</numerusform>
            <numerusform>%1, %n items</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>arbor::PagePanel</name>
    <message numerus="yes">
        <source>A cell is %n page(s). Choose one to see them one by one.</source>
        <translation>
            <numerusform>A cell is %n page. Choose one to see them one by one.</numerusform>
            <numerusform>A cell is %n pages. Choose one to see them one by one.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>arbor::PinsModel</name>
    <message numerus="yes">
        <source>These %n together free %1</source>
        <translation>
            <numerusform>These %n together free %1</numerusform>
            <numerusform>These %n together free %1</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>arbor::RelationsPanel</name>
    <message numerus="yes">
        <source>%n relation(s), %1</source>
        <translation>
            <numerusform>%n relation, %1</numerusform>
            <numerusform>%n relations, %1</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n database(s), %1. Open one to see its relations.</source>
        <translation>
            <numerusform>%n database, %1. Open one to see its relations.</numerusform>
            <numerusform>%n databases, %1. Open one to see its relations.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>arbor::RestorePanel</name>
    <message numerus="yes">
        <source>%n session(s) end; PostgreSQL starts again.</source>
        <translation>
            <numerusform>%n session ends; PostgreSQL starts again.</numerusform>
            <numerusform>%n sessions end; PostgreSQL starts again.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n child branch(es) stay as they are.</source>
        <translation>
            <numerusform>%n child branch stays as it is.</numerusform>
            <numerusform>%n child branches stay as they are.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n later checkpoint(s) go off the line.</source>
        <translation>
            <numerusform>%n later checkpoint goes off the line.</numerusform>
            <numerusform>%n later checkpoints go off the line.</numerusform>
        </translation>
    </message>
</context>
</TS>