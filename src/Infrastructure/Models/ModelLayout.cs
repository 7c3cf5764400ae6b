using StreamMl.Shared.Models;

namespace StreamMl.Infrastructure.Models;

/// <summary>Where a registry's files are: <c>models/NAME/VERSION/</c>, <c>models/NAME/aliases/ALIAS</c>, <c>models/NAME/journal.jsonl</c>. Pure.</summary>
/// <param name="Root">The registry's folder: <c>models</c> under an installation's directory.</param>
internal sealed record ModelLayout(string Root)
{
    /// <summary>Prefix of folders that are being written.</summary>
    public const string DraftPrefix = ".draft-";

    public string Model(string name) => Path.Combine(Root, ModelNames.RequireName(name));

    public string Version(ModelVersion version) => Path.Combine(Model(version.Name), version.Version);

    public string Aliases(string name) => Path.Combine(Model(name), "aliases");

    public string Alias(string name, string alias) => Path.Combine(Aliases(name), ModelNames.RequireAlias(alias));

    public string Journal(string name) => Path.Combine(Model(name), "journal.jsonl");

    public string Lock(string name) => Path.Combine(Model(name), ".lock");
}
