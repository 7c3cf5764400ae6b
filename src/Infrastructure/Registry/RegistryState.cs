using StreamMl.Infrastructure.Avro;

namespace StreamMl.Infrastructure.Registry;

/// <summary>What the registry knows. No I/O; changes are told to a journal before they are seen. Thread-safe.</summary>
internal sealed class RegistryState(Action<RegistryChange>? journal = null)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> schemas = [];
    private readonly SortedDictionary<string, List<SubjectVersion>> subjects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CompatibilityLevel> levels = new(StringComparer.Ordinal);
    private CompatibilityLevel globalLevel = CompatibilityLevel.Backward;

    public IReadOnlyList<string> Subjects(bool deleted)
    {
        lock (gate) return [.. subjects.Where(s => s.Value.Exists(v => deleted || !v.Deleted)).Select(s => s.Key)];
    }

    public IReadOnlyList<int> Versions(string subject, bool deleted)
    {
        lock (gate) return [.. Live(subject, deleted).Select(v => v.Schema.Version)];
    }

    /// <param name="subject">The subject.</param>
    /// <param name="version">A version; -1 for the latest.</param>
    /// <param name="deleted">Looks among deleted ones too.</param>
    public RegisteredSchema Get(string subject, int version, bool deleted)
    {
        lock (gate)
        {
            var live = Live(subject, deleted);
            if (version == -1) return live[^1].Schema;
            return live.Find(v => v.Schema.Version == version)?.Schema ?? throw RegistryException.NoVersion(version);
        }
    }

    public string SchemaOf(int id)
    {
        lock (gate) return schemas.GetValueOrDefault(id) ?? throw RegistryException.NoSchema(id);
    }

    public IReadOnlyList<RegisteredSchema> Uses(int id)
    {
        lock (gate)
        {
            if (!schemas.ContainsKey(id)) throw RegistryException.NoSchema(id);
            return [.. subjects.Values.SelectMany(v => v).Where(v => !v.Deleted && v.Schema.Id == id).Select(v => v.Schema)];
        }
    }

    /// <summary>Adds a version, or finds the one that is this schema already.</summary>
    /// <exception cref="RegistryException">42201 not a schema; 409 incompatible with what the subject's level protects.</exception>
    public RegisteredSchema Register(string subject, string schema)
    {
        string canonical = CanonicalSchema.Of(schema);
        lock (gate)
        {
            if (Find(subject, canonical, deleted: false) is { } existing) return existing;
            var reasons = Incompatibilities(subject, schema, LevelOf(subject));
            if (reasons.Count > 0)
            {
                throw new RegistryException(409, $"Schema being registered is incompatible with an earlier schema for subject \"{subject}\", "
                    + $"details: [{string.Join("; ", reasons)}]");
            }

            int version = subjects.TryGetValue(subject, out var all) && all.Count > 0 ? all[^1].Schema.Version + 1 : 1;
            int id = ids.TryGetValue(canonical, out int known) ? known : schemas.Count + 1;
            var added = new RegisteredSchema(subject, version, id, schemas.GetValueOrDefault(id) ?? schema);
            Commit(new RegistryChange.Registered(added));
            return added;
        }
    }

    /// <summary>40401 where there is no such subject, 40403 where it has no such schema.</summary>
    public RegisteredSchema Lookup(string subject, string schema, bool deleted)
    {
        string canonical = CanonicalSchema.Of(schema);
        lock (gate)
        {
            Live(subject, deleted);
            return Find(subject, canonical, deleted) ?? throw new RegistryException(40403, "Schema not found");
        }
    }

    /// <summary>Why this schema could not be the subject's next version; against one version where it is named. Empty where it could.</summary>
    public IReadOnlyList<string> Check(string subject, string schema, int? version)
    {
        CanonicalSchema.Of(schema);
        lock (gate)
        {
            if (version is null) return Incompatibilities(subject, schema, LevelOf(subject));
            var against = Get(subject, version.Value, deleted: false);
            return Compare(schema, against, LevelOf(subject));
        }
    }

    public CompatibilityLevel GlobalLevel
    {
        get
        {
            lock (gate) return globalLevel;
        }
    }

    public CompatibilityLevel? SubjectLevel(string subject)
    {
        lock (gate) return levels.TryGetValue(subject, out var level) ? level : null;
    }

    /// <summary>Null level: back to the global one (or the global one back to BACKWARD). Null subject: the global level.</summary>
    public void SetLevel(string? subject, CompatibilityLevel? level)
    {
        lock (gate) Commit(new RegistryChange.LevelSet(subject, level));
    }

    /// <summary>Soft first, then for good: as Confluent's. Answers the versions that went.</summary>
    public IReadOnlyList<int> DeleteSubject(string subject, bool permanent)
    {
        lock (gate)
        {
            if (!subjects.TryGetValue(subject, out var all) || all.Count == 0) throw RegistryException.NoSubject(subject);
            bool soft = all.TrueForAll(v => v.Deleted);
            if (permanent && !soft) throw new RegistryException(40405, $"Subject '{subject}' was not deleted first before being permanently deleted");
            if (!permanent && soft) throw new RegistryException(40404, $"Subject '{subject}' was soft deleted. Set permanent=true to delete permanently");
            var versions = all.Where(v => permanent || !v.Deleted).Select(v => v.Schema.Version).ToList();
            Commit(new RegistryChange.Deleted(subject, null, permanent));
            return versions;
        }
    }

    public int DeleteVersion(string subject, int version, bool permanent)
    {
        lock (gate)
        {
            var schema = Get(subject, version, deleted: permanent);
            var entry = subjects[subject].Find(v => v.Schema.Version == schema.Version)!;
            if (permanent && !entry.Deleted)
            {
                throw new RegistryException(40407, $"Subject '{subject}' Version {schema.Version} was not deleted first before being permanently deleted");
            }

            Commit(new RegistryChange.Deleted(subject, schema.Version, permanent));
            return schema.Version;
        }
    }

    /// <summary>Applies a change that a journal kept.</summary>
    public void Replay(RegistryChange change)
    {
        lock (gate) Apply(change);
    }

    private void Commit(RegistryChange change)
    {
        journal?.Invoke(change);
        Apply(change);
    }

    private void Apply(RegistryChange change)
    {
        switch (change)
        {
            case RegistryChange.Registered(var schema):
                ids.TryAdd(CanonicalSchema.Of(schema.Schema), schema.Id);
                schemas.TryAdd(schema.Id, schema.Schema);
                if (!subjects.TryGetValue(schema.Subject, out var all)) subjects[schema.Subject] = all = [];
                all.Add(new SubjectVersion(schema));
                break;
            case RegistryChange.LevelSet(null, var level):
                globalLevel = level ?? CompatibilityLevel.Backward;
                break;
            case RegistryChange.LevelSet(var subject, null):
                levels.Remove(subject!);
                break;
            case RegistryChange.LevelSet(var subject, var level):
                levels[subject!] = level!.Value;
                break;
            case RegistryChange.Deleted(var subject, var version, var permanent):
                Delete(subjects[subject], version, permanent);
                break;
        }
    }

    private static void Delete(List<SubjectVersion> versions, int? version, bool permanent)
    {
        if (permanent)
        {
            versions.RemoveAll(v => version is null || v.Schema.Version == version);
            return;
        }

        foreach (var entry in versions) entry.Deleted |= version is null || entry.Schema.Version == version;
    }

    private List<SubjectVersion> Live(string subject, bool deleted)
    {
        var live = subjects.TryGetValue(subject, out var all) ? all.FindAll(v => deleted || !v.Deleted) : [];
        return live.Count > 0 ? live : throw RegistryException.NoSubject(subject);
    }

    private RegisteredSchema? Find(string subject, string canonical, bool deleted) =>
        ids.TryGetValue(canonical, out int id) && subjects.TryGetValue(subject, out var all)
            ? all.FindLast(v => v.Schema.Id == id && (deleted || !v.Deleted))?.Schema
            : null;

    private CompatibilityLevel LevelOf(string subject) => levels.TryGetValue(subject, out var level) ? level : globalLevel;

    private List<string> Incompatibilities(string subject, string schema, CompatibilityLevel level)
    {
        var live = subjects.TryGetValue(subject, out var all) ? all.FindAll(v => !v.Deleted) : [];
        if (live.Count == 0 || level == CompatibilityLevel.None) return [];
        bool transitive = level is CompatibilityLevel.BackwardTransitive or CompatibilityLevel.ForwardTransitive or CompatibilityLevel.FullTransitive;
        var against = transitive ? live : live.GetRange(live.Count - 1, 1);
        return [.. against.SelectMany(v => Compare(schema, v.Schema, level))];
    }

    private static List<string> Compare(string schema, RegisteredSchema earlier, CompatibilityLevel level)
    {
        bool backward = level is CompatibilityLevel.Backward or CompatibilityLevel.BackwardTransitive or CompatibilityLevel.Full or CompatibilityLevel.FullTransitive;
        bool forward = level is CompatibilityLevel.Forward or CompatibilityLevel.ForwardTransitive or CompatibilityLevel.Full or CompatibilityLevel.FullTransitive;
        List<string> reasons = [];
        if (backward) reasons.AddRange(AvroCompatibility.Check(schema, earlier.Schema).Select(m => $"version {earlier.Version} as the writer: {m}"));
        if (forward) reasons.AddRange(AvroCompatibility.Check(earlier.Schema, schema).Select(m => $"version {earlier.Version} as the reader: {m}"));
        return reasons;
    }

    private sealed class SubjectVersion(RegisteredSchema schema)
    {
        public RegisteredSchema Schema { get; } = schema;

        public bool Deleted { get; set; }
    }
}

/// <summary>A change of the registry, as the journal keeps it.</summary>
internal abstract record RegistryChange
{
    internal sealed record Registered(RegisteredSchema Schema) : RegistryChange;

    internal sealed record LevelSet(string? Subject, CompatibilityLevel? Level) : RegistryChange;

    internal sealed record Deleted(string Subject, int? Version, bool Permanent) : RegistryChange;
}
