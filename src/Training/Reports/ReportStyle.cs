namespace StreamMl.Training.Reports;

/// <summary>How reports look, on light and dark screens and on paper.</summary>
internal static class ReportStyle
{
    public const string Css = """
        :root{color-scheme:light dark;--ink:#1c2430;--dim:#667085;--line:#dfe3ea;--paper:#fff;--wash:#f5f7fa;--main:#2563eb;--other:#f59e0b;--good:#15803d;--bad:#b91c1c}
        @media(prefers-color-scheme:dark){:root{--ink:#e6eaf1;--dim:#98a2b3;--line:#323a48;--paper:#151a22;--wash:#1d2430;--main:#7aa2ff;--other:#fbbf24;--good:#4ade80;--bad:#f87171}}
        body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}main{max-width:1060px;margin:0 auto;padding:28px 24px 60px}
        h1{font-size:28px;margin:0}h2{font-size:18px;margin:34px 0 8px}.sub,.hint,.note,.ci{color:var(--dim)}.sub{margin:4px 0 0}.hint{font-size:13px;margin:6px 0}
        .warn{border-left:4px solid var(--other);background:var(--wash);padding:8px 12px;margin:14px 0}
        .tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:10px}.tile{background:var(--wash);border-radius:8px;padding:10px 14px}
        .tile .name{color:var(--dim);font-size:13px}.tile .value{font-size:24px;font-variant-numeric:tabular-nums}.tile .ci,.tile .note,td .ci{font-size:12px}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}table.fit{width:auto}th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid var(--line);font-weight:400}
        th{color:var(--dim);font-size:13px}.n{text-align:right;padding-right:0;padding-left:16px}.good{color:var(--good)}.bad{color:var(--bad)}.code{font:13px ui-monospace,monospace;word-break:break-all}
        .plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:18px}figure{margin:0}figcaption{font-weight:600;margin-bottom:4px}svg{width:100%;height:auto;display:block}
        svg text{fill:var(--dim);font:12px system-ui,sans-serif}svg .ink{fill:var(--ink)}svg .axis{stroke:var(--line)}svg .curve{fill:none;stroke:var(--main);stroke-width:2}svg .diagonal{stroke:var(--dim);stroke-dasharray:4 4}
        svg .main{fill:var(--main)}svg .other{fill:var(--other)}svg .wash{fill:var(--wash)}svg .whisker{stroke:var(--ink)}
        """;
}
