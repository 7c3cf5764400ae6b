using System.Globalization;
using StreamMl.BatchBackfill.Ledger;
using StreamMl.Infrastructure.Hosting;

namespace StreamMl.Cli.Demo;

/// <summary>The end of a demo: what was found, where it lies, what to try next.</summary>
internal sealed class DemoConclusion(DemoOptions options, Installation installation, string api, DemoScreen screen)
{
    public void Show(DemoReport report, IReadOnlyList<KeptLedger> ledgers)
    {
        var unbalanced = ledgers.Count(l => !l.Counts.Balances);
        screen.Heading("Result");
        var ledger = report.Ledger;
        DemoScreen.Line($"  ledger of the sources: {ledger.Read:N0} read = {ledger.Applied:N0} applied + {ledger.Late:N0} late + {ledger.Duplicate:N0} duplicate + {ledger.Filtered:N0} filtered + {ledger.DeadLettered:N0} dead-lettered{(unbalanced == 0 ? "" : $"; {unbalanced} PARTITIONS DO NOT BALANCE")}");
        DemoScreen.Line($"  {string.Join(", ", report.Timings.Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Key} {t.Value:F1} s")))}");
        DemoScreen.Line($"  {options.Directory}/: archive/ (the logs), served/ (vectors as read online), training/ and live/ (Arrow files), models/, runs/, report.json");
        screen.Heading("Try next");
        DemoScreen.Line($"  streamml parity --dir {options.Directory}      streamml ledger --dir {options.Directory}      streamml models --dir {options.Directory}");
        if (options.Stay)
            ShowServers();
        else
            DemoScreen.Line("  streamml demo --stay     leaves the servers and the query API up, to look at with kcat, redis-cli and a browser");
        DemoScreen.Line($"{report.ValuesDiffering} of {report.ValuesCompared} values differ");
    }

    // Record values are Avro behind five bytes that name the schema, states and positions are packed: keys are what a person can read.
    private void ShowServers()
    {
        var (kafka, port) = (installation.Kafka.BootstrapServers, installation.RedisEndpoint.Configuration.Split(':')[^1]);
        DemoScreen.Line($"  kcat -b {kafka} -L | grep topic      kcat -C -b {kafka} -t landings -p 0 -o -5 -c 5 -q -f '%T %k, %S bytes of Avro\n'");
        DemoScreen.Line($"  redis-cli -p {port} --scan --pattern '{{landings/*' | head      redis-cli -p {port} --scan --pattern '*route_landed@*/*' | head");
        DemoScreen.Line($"  streamml get {DemoRun.Service} --dir {options.Directory} --entity origin=JFK dest=LAX carrier=AA tailnum=N338AA --as-of 2013-12-31T12:00:00Z      {api}/");
    }
}
