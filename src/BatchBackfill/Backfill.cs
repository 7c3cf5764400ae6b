using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using StreamMl.BatchBackfill.Logs;
using StreamMl.BatchBackfill.Output;
using StreamMl.BatchBackfill.PointInTime;
using StreamMl.BatchBackfill.Spines;
using StreamMl.FeatureEngine.Services;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Time;

namespace StreamMl.BatchBackfill;

/// <summary>One backfill from request to manifest. One use.</summary>
internal sealed class Backfill
{
    private readonly Catalog catalog;
    private readonly BackfillOptions options;
    private readonly Action<BackfillProgress> progress;
    private readonly ServiceProgram service;
    private readonly ArchiveLayout layout;
    private readonly LogInputs inputs;
    private readonly List<(LogInput Log, SourceDefinition Source, List<ServiceView> Views)> logs = [];
    private readonly LogInput? trigger;

    public Backfill(Catalog catalog, BackfillOptions options, Action<BackfillProgress> progress)
    {
        (this.catalog, this.options, this.progress) = (catalog, options, progress);
        CheckOptions();
        service = ServiceProgram.Compile(catalog, catalog.Service(options.Service));
        layout = new ArchiveLayout(options.Archive);
        inputs = new LogInputs(layout, options.History, options.Delay, options.MemoryBytes / 2);
        foreach (var group in service.Views.GroupBy(v => v.Program.Log, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var first = group.First().Program;
            logs.Add((inputs.Of(first.Source, first.Log, first.View.KeyFields), first.Source, [.. group]));
        }

        if (options.Spine is not null)
            return;
        if (service.Definition.Trigger is null)
            throw new BackfillException($"service '{service.Name}' has no trigger: give the rows to compute by --spine FILE");
        var source = catalog.Source(service.Definition.Trigger);
        trigger = inputs.Of(source, source.Topic, source.KeyFields);
    }

    public TrainingManifest Run(CancellationToken cancellationToken)
    {
        var request = Request();
        var state = Open(request);
        if (state is null)
            return TrainingManifest.Load(options.Output);
        var spine = BuildSpine(state, cancellationToken);
        var outputs = service.Views.ToDictionary(v => v.Name, v => new FeatureScratch(state.PathOf($"{v.Name}.features"), v, service.Columns, spine.Rows), StringComparer.Ordinal);
        try
        {
            var used = logs.Select(l => new ManifestLog(l.Log.Log, l.Log.Origin, RunLog(l.Log, l.Source, l.Views, spine, outputs, state, cancellationToken))).ToList();
            var files = new TrainingSetWriter(service, spine, [.. outputs.Values], options.Output, options.RowsPerFile)
                .Write(options.Cores, done => progress(new BackfillProgress("write", done, spine.Rows)), cancellationToken);
            var manifest = Describe(spine, used, files);
            // The request first: a manifest without it would be another's.
            DurableFile.WriteAllBytes(RequestPath, Encoding.UTF8.GetBytes(request));
            DurableFile.WriteAllBytes(ManifestPath, manifest.ToJson());
            return manifest;
        }
        finally
        {
            foreach (var output in outputs.Values)
                output.Dispose();
            if (File.Exists(ManifestPath))
                state.Remove();
        }
    }

    private string ManifestPath => Path.Combine(options.Output, TrainingManifest.FileName);

    private string RequestPath => Path.Combine(options.Output, ".request");

    private void CheckOptions()
    {
        if (options.Delay < TimeSpan.Zero)
            throw new BackfillException($"--delay {options.Delay} is negative: an event is not known before it happens");
        if (options.MemoryBytes < 64L << 20)
            throw new BackfillException($"--memory {options.MemoryBytes} is less than {64L << 20} bytes (64 MiB)");
        if (options.Cores is < 1 or > 1024)
            throw new BackfillException($"--cores {options.Cores} is not between 1 and 1024");
        if (options.RowsPerFile is < 1 or > 10_000_000)
            throw new BackfillException($"--rows-per-file {options.RowsPerFile} is not between 1 and 10,000,000");
        if (options.Served is not null && (options.Spine is not null || options.EventTime))
            throw new BackfillException("--served gives the prefixes of trigger events: it goes with neither --spine nor --event-time");
        if (options.Spine is not null && (options.FromTimeUs ?? options.UntilTimeUs) is not null)
            throw new BackfillException("--from-time and --until-time choose among trigger events: with --spine, leave the other rows out of the file");
        if (options.FromTimeUs >= options.UntilTimeUs)
            throw new BackfillException($"--from-time {TimeGrid.Format(options.FromTimeUs.Value)} is not before --until-time {TimeGrid.Format(options.UntilTimeUs.Value)}: no event is in between");
        foreach (var file in options.History)
            _ = catalog.Source(file.Source);
    }

    /// <summary>Everything that decides a byte of the result, and nothing else: not the memory, the cores or where things lie.</summary>
    private string Request()
    {
        var parts = new List<string>
        {
            $"service {service.Name} {service.Hash}", $"mode {options.EventTime} {options.Delay}", $"rows per file {options.RowsPerFile}",
            $"label {options.Label}", $"time {options.TimeColumn}", $"spine {SpineName()}",
        };
        parts.AddRange(logs.SelectMany(l => l.Log.Inventory));
        if (trigger is not null)
            parts.AddRange(trigger.Inventory);
        if (options.Served is not null)
            parts.AddRange(Directory.EnumerateFiles(ServedVectorSchema.DirectoryOf(options.Served, service.Name)).Order(StringComparer.Ordinal).Select(f => $"{Path.GetFileName(f)} {new FileInfo(f).Length}"));
        return string.Join('\n', parts);
    }

    private string SpineName()
    {
        if (options.Spine is null)
        {
            var from = options.FromTimeUs is { } first ? $" from {TimeGrid.Format(first)}" : "";
            var until = options.UntilTimeUs is { } end ? $" until {TimeGrid.Format(end)}" : "";
            return $"events of {service.Definition.Trigger}{from}{until}";
        }

        if (!File.Exists(options.Spine))
            throw new BackfillException($"--spine: there is no file {options.Spine}");
        using var stream = File.OpenRead(options.Spine);
        return $"{Path.GetFileName(options.Spine)} sha256 {Convert.ToHexStringLower(SHA256.HashData(stream))}";
    }

    /// <summary>Null where the output is complete already.</summary>
    private JobState? Open(string request)
    {
        if (File.Exists(ManifestPath))
        {
            if (File.Exists(RequestPath) && File.ReadAllText(RequestPath) == request)
            {
                // A kill behind the manifest leaves the working files.
                if (Directory.Exists(Path.Combine(options.Output, JobState.DirectoryName)))
                    Directory.Delete(Path.Combine(options.Output, JobState.DirectoryName), recursive: true);
                return null;
            }

            if (!options.Overwrite)
                throw new BackfillException($"{options.Output} holds a training set that was made from another request or other inputs: choose another --out, or replace it with --overwrite");
            File.Delete(ManifestPath);
        }

        Directory.CreateDirectory(options.Output);
        File.Delete(RequestPath);
        return new JobState(options.Output, request);
    }

    private SpineTable BuildSpine(JobState state, CancellationToken cancellationToken)
    {
        progress(new BackfillProgress("spine", 0, 0));
        LabelTable? labels = null;
        if (options.Label is not null)
        {
            var rule = LabelRule.Parse(options.Label);
            var source = catalog.Source(rule.Source);
            labels = LabelTable.Read(rule, source, inputs.Of(source, source.Topic, source.KeyFields), options.MemoryBytes / 4);
        }

        var path = state.PathOf("spine.arrow");
        return trigger is null
            ? new LabelSpine(options, service, labels, FirstArrivalUs()).Build(path, cancellationToken)
            : TriggerSpine.Build(path, service, catalog.Source(service.Definition.Trigger!), trigger, labels, (options.FromTimeUs ?? long.MinValue, options.UntilTimeUs ?? long.MaxValue), cancellationToken);
    }

    private long FirstArrivalUs()
    {
        var first = long.MaxValue;
        foreach (var (log, source, views) in logs)
        {
            var schema = log.SchemaOf(source, views[0].Program.View.KeyFields);
            var batch = new FeedBatch(schema);
            foreach (var feed in log.Open(schema))
            {
                foreach (var chunk in feed.Chunks())
                {
                    feed.Prepare(chunk, batch);
                    first = Math.Min(first, batch.Events.ArrivalTimesUs[0]);
                    break;
                }
            }
        }

        return first == long.MaxValue ? long.MinValue : first;
    }

    private IReadOnlyList<long> RunLog(LogInput log, SourceDefinition source, List<ServiceView> views, SpineTable spine, Dictionary<string, FeatureScratch> outputs, JobState state, CancellationToken cancellationToken)
    {
        if (state.Find(log.Log) is { } note)
            return [.. note.Split(',').Select(n => long.Parse(n, CultureInfo.InvariantCulture))];
        var served = options.Served is not null && spine.Trigger is not null ? ServedPrefixes.Read(options.Served, service, spine.Trigger) : null;
        var reads = new SpineReads(spine, TimeGrid.ToMicros(service.Definition.ServingDelay), options.EventTime ? TimeGrid.ToMicros(options.Delay) : null, served);
        var limits = new JobLimits(options.MemoryBytes, options.RowMemoryBytes ?? options.MemoryBytes / 2, options.Cores, options.Buckets, state.Directory);
        var job = new PointInTimeJob(service, reads, spine.Rows, options.EventTime, limits, progress);
        var used = new long[log.Partitions];
        foreach (var group in job.Groups(views))
        {
            var ends = job.Run(log, source, group, outputs, cancellationToken);
            for (var p = 0; p < used.Length; p++)
                used[p] = Math.Max(used[p], ends[p]);
        }

        foreach (var view in views)
            outputs[view.Name].Flush();
        state.Complete(log.Log, string.Join(',', used));
        return used;
    }

    private TrainingManifest Describe(SpineTable spine, IReadOnlyList<ManifestLog> used, IReadOnlyList<ManifestFile> files)
    {
        var label = options.Label is null ? null : LabelRule.Parse(options.Label).Name;
        return new TrainingManifest
        {
            Service = service.Name,
            ServiceHash = service.Hash,
            ViewHashes = new SortedDictionary<string, string>(service.Views.ToDictionary(v => v.Name, v => CanonicalForm.Hash(CanonicalForm.Of(v.Program.View, v.Program.Source)), StringComparer.Ordinal), StringComparer.Ordinal),
            Mode = options.EventTime ? "event-time" : "arrival-time",
            Delay = Durations.Format(options.Delay),
            ServingDelay = Durations.Format(service.Definition.ServingDelay),
            Spine = SpineName(),
            Label = options.Label,
            UsesServedPrefixes = options.Served is not null,
            Rows = spine.Rows,
            LeftOut = spine.LeftOut,
            Logs = used,
            Columns =
            [
                .. spine.Schema.Fields.Select((f, i) => new ManifestColumn(f.Name, f.Type.ToString(), RoleOf(spine, i, label))),
                .. service.Columns.Select(c => new ManifestColumn(c.FullName, c.Type.ToString(), ColumnRoles.Feature)),
            ],
            Files = files,
        };
    }

    private static string RoleOf(SpineTable spine, int index, string? label)
    {
        var column = spine.Schema.Fields[index].Name;
        return index == spine.TimeColumn ? ColumnRoles.Time
            : spine.KeyColumns.Contains(index) ? ColumnRoles.Key
            : column == label ? ColumnRoles.Label
            : label is not null && column == LabelTable.KnownAtColumn(label) ? ColumnRoles.LabelTime
            : spine.Trigger is not null && index < TriggerColumns.Count ? ColumnRoles.Position
            : ColumnRoles.Carried;
    }
}
