using StreamMl.Infrastructure.Catalogs;
using StreamMl.Shared.Definitions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StreamMl.Training.Configuration;

/// <summary>Reads train.yaml (docs/training.md). What is wrong in it is told with file, line and column, all of it at once. Pure but for reading the file.</summary>
public static class TrainConfigFile
{
    private const int MaxCharacters = 1 << 20;

    /// <exception cref="TrainingException">The file is not there, or has errors: one line each.</exception>
    public static TrainConfig Load(string path)
    {
        if (!File.Exists(path))
            throw new TrainingException($"there is no training configuration at {Path.GetFullPath(path)}; name one with --config FILE, or begin with samples/flights/train.yaml");
        var (config, diagnostics) = Parse(File.ReadAllText(path), path);
        return config ?? throw new TrainingException(string.Join('\n', diagnostics.Where(d => d.Severity == Severity.Error)));
    }

    /// <param name="text">The file's text.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <returns>Null where there is an error.</returns>
    public static (TrainConfig? Config, IReadOnlyList<Diagnostic> Diagnostics) Parse(string text, string file)
    {
        var diagnostics = new List<Diagnostic>();
        var root = Root(text, file, diagnostics);
        var config = root is null ? null : new TrainConfigReader(new YamlView(file, diagnostics), text).Read(root);
        return (diagnostics.Any(d => d.Severity == Severity.Error) ? null : config, diagnostics);
    }

    private static YamlNode? Root(string text, string file, List<Diagnostic> diagnostics)
    {
        void Error(int line, int column, string problem, string remedy) => diagnostics.Add(new Diagnostic(Severity.Error, new SourceLocation(file, line, column), problem, remedy));
        if (text.Length > MaxCharacters)
        {
            Error(1, 1, $"the file has {text.Length} characters, and at most {MaxCharacters} are read", "It is a configuration, not data");
            return null;
        }

        var yaml = new YamlStream();
        try
        {
            using var reader = new StringReader(text);
            yaml.Load(reader);
        }
        catch (YamlException e)
        {
            Error((int)e.Start.Line, (int)e.Start.Column, $"the file is no YAML: {e.InnerException?.Message ?? e.Message}", "Check indentation and quotes; a text with `: `, ` #` or commas in braces needs quotes");
            return null;
        }

        if (yaml.Documents.Count == 1)
            return yaml.Documents[0].RootNode;
        Error(1, 1, $"the file has {yaml.Documents.Count} YAML documents", "Write one; `trainer: lightgbm` is enough");
        return null;
    }
}
