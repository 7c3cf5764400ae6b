namespace StreamMl.Shared.Models;

/// <summary>Which names a registry takes. Pure.</summary>
public static class ModelNames
{
    /// <summary>The alias of the model that serves.</summary>
    public const string Champion = "champion";

    /// <summary>The alias of the model that may follow it.</summary>
    public const string Challenger = "challenger";

    /// <summary>Hex digits of a version.</summary>
    public const int VersionLength = 16;

    public static bool IsVersion(string text) => text.Length == VersionLength && text.All(c => char.IsAsciiDigit(c) || c is >= 'a' and <= 'f');

    /// <exception cref="ModelException">Not a name.</exception>
    public static string RequireName(string name) => IsName(name)
        ? name
        : throw new ModelException($"'{name}' cannot name a model: up to 100 letters, digits, '_', '-' and '.', the first a letter or a digit");

    /// <exception cref="ModelException">Not an alias.</exception>
    public static string RequireAlias(string alias) => IsName(alias) && !IsVersion(alias)
        ? alias
        : throw new ModelException($"'{alias}' cannot be an alias: up to 100 letters, digits, '_', '-' and '.', the first a letter or a digit, and not 16 hex digits, which are a version");

    private static bool IsName(string text) =>
        text.Length is > 0 and <= 100 && char.IsAsciiLetterOrDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.');
}
