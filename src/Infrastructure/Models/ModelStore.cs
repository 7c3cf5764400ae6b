using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Models;

namespace StreamMl.Infrastructure.Models;

/// <summary>A model in the registry.</summary>
/// <param name="Version">Which.</param>
/// <param name="Aliases">What points to it.</param>
/// <param name="PublishedAt">When it was published, where the journal says so.</param>
public sealed record ModelEntry(ModelVersion Version, IReadOnlyList<string> Aliases, DateTimeOffset? PublishedAt);

/// <summary>Who changes something, and why: both go to the journal.</summary>
public sealed record ChangeNote(string? Who = null, string? Why = null);

/// <summary>
/// The model registry: content-addressed folders and aliases that point to them. Everything appears whole or not at all, so any number of processes may
/// read while one writes; writers of one model take turns. Thread-safe.
/// </summary>
/// <param name="directory">The registry's folder: <c>models</c> under an installation's directory.</param>
public sealed class ModelStore(string directory, TimeProvider time, ModelStoreOptions? options = null)
{
    private static int drafts;

    private readonly ModelLayout layout = new(directory);
    private readonly ModelStoreOptions options = options ?? new ModelStoreOptions();

    /// <summary>The registry of an installation's directory.</summary>
    public static ModelStore In(string installationDirectory, TimeProvider time, ModelStoreOptions? options = null) => new(Path.Combine(installationDirectory, "models"), time, options);

    /// <summary>Opens an empty draft.</summary>
    /// <param name="manifest">All but its files.</param>
    public ModelDraft Begin(ModelManifest manifest)
    {
        var model = layout.Model(manifest.Name);
        DiscardOldDrafts(model);
        return new ModelDraft(Path.Combine(model, $"{ModelLayout.DraftPrefix}{Environment.ProcessId}-{Interlocked.Increment(ref drafts)}"), manifest);
    }

    /// <summary>Publishes a draft under the version that its content gives. The same content again changes nothing.</summary>
    /// <exception cref="ModelException">A required file is missing.</exception>
    public async Task<ModelVersion> PublishAsync(ModelDraft draft, ChangeNote? note = null, CancellationToken cancellationToken = default)
    {
        var version = draft.Seal();
        using var held = await LockAsync(version.Name, cancellationToken);
        if (draft.MoveTo(layout.Version(version)))
            Record(version.Name, "published", version.Version, null, null, note);
        return version;
    }

    /// <summary>Names of all models, in ordinal order.</summary>
    public IReadOnlyList<string> Names() => !Directory.Exists(layout.Root)
        ? []
        : [.. Directory.EnumerateDirectories(layout.Root).Select(d => Path.GetFileName(d)).Where(n => !n.StartsWith('.')).Order(StringComparer.Ordinal)];

    /// <summary>Makes a model that has no version yet; nothing where it is there.</summary>
    public void Reserve(string name) => Directory.CreateDirectory(layout.Model(name));

    /// <summary>All versions of a model, newest first; those whose time is not known last.</summary>
    public IReadOnlyList<ModelEntry> Versions(string name)
    {
        var model = layout.Model(name);
        if (!Directory.Exists(model))
            return [];
        var aliases = Aliases(name);
        var published = Journal(name).Where(c => c.What == "published").GroupBy(c => c.Version!).ToDictionary(g => g.Key, g => g.Last().At);
        return
        [
            .. Directory.EnumerateDirectories(model).Select(d => Path.GetFileName(d)).Where(ModelNames.IsVersion)
                .Select(v => new ModelEntry(
                    new ModelVersion(name, v),
                    [.. aliases.Where(a => a.Value == v).Select(a => a.Key).Order(StringComparer.Ordinal)],
                    published.TryGetValue(v, out var at) ? at : null))
                .OrderByDescending(e => e.PublishedAt ?? DateTimeOffset.MinValue).ThenBy(e => e.Version.Version, StringComparer.Ordinal),
        ];
    }

    /// <summary>The version that a reference means.</summary>
    /// <exception cref="ModelException">No such model, alias or version, or the first digits of several.</exception>
    public ModelVersion Resolve(ModelReference reference)
    {
        if (!ModelNames.IsVersion(reference.Selector) && AliasOf(reference.Name, reference.Selector) is { } version)
            return new ModelVersion(reference.Name, version);
        var versions = Versions(reference.Name);
        if (versions.Count == 0)
            throw new ModelException($"there is no model '{reference.Name}' in {layout.Root}; it has {Listed(Names())}");
        var found = versions.Where(v => v.Version.Version == reference.Selector || (reference.Selector.Length >= 4 && v.Version.Version.StartsWith(reference.Selector, StringComparison.Ordinal))).ToList();
        return found.Count switch
        {
            1 => found[0].Version,
            0 => throw new ModelException($"model '{reference.Name}' has no version or alias '{reference.Selector}'; it has aliases {Listed(Aliases(reference.Name).Keys)} and versions {Listed(versions.Select(v => v.Version.Version))}"),
            _ => throw new ModelException($"'{reference.Selector}' is the beginning of {found.Count} versions: {Listed(found.Select(v => v.Version.Version))}; give more digits"),
        };
    }

    /// <summary>Opens a version: its manifest is checked, its files when they are read.</summary>
    public ModelFolder Open(ModelVersion version) => ModelFolder.Open(layout.Version(version), version);

    /// <summary>Opens what a reference means, checks every file, and that the service's definition is the one it was trained on.</summary>
    /// <param name="reference">As <c>late@champion</c>.</param>
    /// <param name="serviceHash">By service name, the hash of the definition that is served; a service that it does not know is refused.</param>
    /// <exception cref="ModelException">Not there, damaged, or of another definition.</exception>
    public ModelFolder Load(ModelReference reference, Func<string, string?> serviceHash)
    {
        var folder = Open(Resolve(reference));
        folder.Verify();
        var hash = serviceHash(folder.Manifest.Service) ?? throw new ModelException($"{folder.Version} reads service '{folder.Manifest.Service}', which the catalogue does not have; name the catalogue that it was trained with");
        folder.RequireService(folder.Manifest.Service, hash);
        return folder;
    }

    /// <summary>A model's aliases and the versions that they point to.</summary>
    public IReadOnlyDictionary<string, string> Aliases(string name)
    {
        var aliases = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (!Directory.Exists(layout.Aliases(name)))
            return aliases;
        foreach (var alias in Directory.EnumerateFiles(layout.Aliases(name)).Select(f => Path.GetFileName(f)).Where(f => !f.EndsWith(DurableFile.TempSuffix, StringComparison.Ordinal)))
        {
            if (AliasOf(name, alias) is { } version)
                aliases.Add(alias, version);
        }

        return aliases;
    }

    /// <summary>The version that an alias points to, or null.</summary>
    public string? AliasOf(string name, string alias)
    {
        try
        {
            return File.ReadAllText(layout.Alias(name, alias)).Trim();
        }
        catch (IOException e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Everything that was done to a model, oldest first.</summary>
    public IReadOnlyList<ModelChange> Journal(string name) => JsonLines.Read<ModelChange>(layout.Journal(name));

    /// <summary>Points an alias to a version, whatever it pointed to.</summary>
    /// <returns>The version that it left, or null.</returns>
    public Task<string?> MoveAliasAsync(ModelVersion to, string alias, ChangeNote? note = null, CancellationToken cancellationToken = default) =>
        MoveAsync(to, alias, null, note, cancellationToken);

    /// <summary>Points an alias to a version if it still points to the expected one.</summary>
    /// <param name="expected">The version that it must point to now; empty: it must not exist.</param>
    /// <exception cref="ModelException">It points to another one, or the version is not there.</exception>
    public Task<string?> MoveAliasIfAsync(ModelVersion to, string alias, string expected, ChangeNote? note = null, CancellationToken cancellationToken = default) =>
        MoveAsync(to, alias, expected, note, cancellationToken);

    /// <summary>Removes an alias; no error where it is not there.</summary>
    public async Task RemoveAliasAsync(string name, string alias, ChangeNote? note = null, CancellationToken cancellationToken = default)
    {
        using var held = await LockAsync(name, cancellationToken);
        if (AliasOf(name, alias) is not { } from)
            return;
        File.Delete(layout.Alias(name, alias));
        DurableFile.SyncDirectory(layout.Aliases(name));
        Record(name, "alias", null, alias, from, note);
    }

    /// <summary>Deletes a version that no alias points to.</summary>
    /// <exception cref="ModelException">It is not there, or an alias points to it.</exception>
    public async Task DeleteAsync(ModelVersion version, ChangeNote? note = null, CancellationToken cancellationToken = default)
    {
        using var held = await LockAsync(version.Name, cancellationToken);
        RequireDeletable(version);
        // Renamed first: a reader sees the version whole or not at all.
        var gone = Path.Combine(layout.Model(version.Name), $"{ModelLayout.DraftPrefix}deleted-{version.Version}");
        if (Directory.Exists(gone))
            Directory.Delete(gone, recursive: true);
        Directory.Move(layout.Version(version), gone);
        DurableFile.SyncDirectory(layout.Model(version.Name));
        Record(version.Name, "deleted", version.Version, null, null, note);
        Directory.Delete(gone, recursive: true);
    }

    /// <summary>What <see cref="DeleteAsync"/> would refuse.</summary>
    public void RequireDeletable(ModelVersion version)
    {
        if (!Directory.Exists(layout.Version(version)))
            throw new ModelException($"{version} is not in the registry; `streamml models list` shows what is");
        var aliases = Aliases(version.Name).Where(a => a.Value == version.Version).Select(a => a.Key).ToList();
        if (aliases.Count > 0)
            throw new ModelException($"{version} is {Listed(aliases)}; move the alias to another version first: `streamml models promote {version.Name} VERSION --alias {aliases[0]}`");
    }

    /// <summary>
    /// The version of an alias, now and after every move: a poll every <see cref="ModelStoreOptions.PollInterval"/>, so a move is seen within one. Several moves
    /// within one interval are seen as the last of them. Null where the alias does not exist.
    /// </summary>
    public async IAsyncEnumerable<string?> WatchAsync(string name, string alias, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var timer = new PeriodicTimer(options.PollInterval, time);
        var seen = AliasOf(name, alias);
        yield return seen;
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            var now = AliasOf(name, alias);
            if (now == seen)
                continue;
            seen = now;
            yield return now;
        }
    }

    private async Task<string?> MoveAsync(ModelVersion to, string alias, string? expected, ChangeNote? note, CancellationToken cancellationToken)
    {
        // Before the lock, which would make the folder of a model that is not there; and under it, since the version may be deleted meanwhile.
        _ = Open(to);
        using var held = await LockAsync(to.Name, cancellationToken);
        _ = Open(to);
        var from = AliasOf(to.Name, alias);
        if (expected is not null && (from ?? "") != expected)
            throw new ModelException($"alias '{alias}' of '{to.Name}' points to {from ?? "nothing"}, not to {(expected.Length == 0 ? "nothing" : expected)}: someone else moved it. Look at `streamml models show {to.Name}` and decide again");
        if (from == to.Version)
            return from;
        DurableFile.WriteAllBytes(layout.Alias(to.Name, alias), System.Text.Encoding.ASCII.GetBytes(to.Version + "\n"));
        Record(to.Name, "alias", to.Version, alias, from, note);
        return from;
    }

    private Task<IDisposable> LockAsync(string name, CancellationToken cancellationToken) => FileLock.TakeAsync(layout.Lock(name), options.LockWait, time, cancellationToken);

    private void Record(string name, string what, string? version, string? alias, string? from, ChangeNote? note) =>
        JsonLines.Append(layout.Journal(name), new ModelChange(time.GetUtcNow(), what, version, alias, from, note?.Who, note?.Why));

    /// <summary>A crash leaves its draft behind; nobody writes one for a day.</summary>
    private void DiscardOldDrafts(string model)
    {
        if (!Directory.Exists(model))
            return;
        foreach (var draft in Directory.EnumerateDirectories(model, ModelLayout.DraftPrefix + "*").Where(d => time.GetUtcNow().UtcDateTime - Directory.GetLastWriteTimeUtc(d) > TimeSpan.FromDays(1)))
            Directory.Delete(draft, recursive: true);
    }

    private static string Listed(IEnumerable<string> items) => string.Join(", ", items.Take(20)) is { Length: > 0 } text ? text : "none";
}
