namespace StreamMl.Shared.Models;

/// <summary>Names one model as text: <c>late@champion</c>, <c>late@0123456789abcdef</c>, or <c>late</c> alone, which is its champion.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Selector">An alias, a version, or the first digits (at least 4) of one.</param>
public readonly record struct ModelReference(string Name, string Selector)
{
    /// <exception cref="ModelException">Not of this form.</exception>
    public static ModelReference Parse(string text)
    {
        var at = text.IndexOf('@');
        if (at < 0)
            return new ModelReference(ModelNames.RequireName(text), ModelNames.Champion);
        var selector = text[(at + 1)..];
        return new ModelReference(ModelNames.RequireName(text[..at]), ModelNames.IsVersion(selector) ? selector : ModelNames.RequireAlias(selector));
    }

    public override string ToString() => $"{Name}@{Selector}";
}

/// <summary>One version of a model: what an alias points to, and what a prediction names. Its text is <c>late@0123456789abcdef</c>.</summary>
public readonly record struct ModelVersion(string Name, string Version)
{
    public override string ToString() => $"{Name}@{Version}";
}
