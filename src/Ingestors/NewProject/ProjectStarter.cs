using StreamMl.Ingestors.Files;

namespace StreamMl.Ingestors.NewProject;

/// <summary>What `streamml new` is asked for.</summary>
/// <param name="File">A CSV, JSON lines or Parquet file.</param>
/// <param name="Time">The column of the event time; null: not said.</param>
/// <param name="Key">The columns of the entity's key; null: not said.</param>
/// <param name="Name">Of the source; null: the file's name.</param>
/// <param name="OutputFolder">Where the project is written; made where it is not there.</param>
public sealed record NewProjectRequest(string File, string? Time, IReadOnlyList<string>? Key, string? Name, string OutputFolder);

/// <summary>Something that must be known first. <paramref name="Option"/> is the flag that answers it (<c>--time</c>, <c>--key</c>).</summary>
/// <param name="Option">The flag.</param>
/// <param name="Text">The question, or what is wrong with the answer that was given.</param>
/// <param name="Candidates">Columns that fit, best first.</param>
public sealed record NewProjectQuestion(string Option, string Text, IReadOnlyList<string> Candidates);

/// <summary>Either questions, and nothing was written, or the files that were written.</summary>
/// <param name="Questions">To be answered first.</param>
/// <param name="Files">Full paths: catalogue, schema, mapping, README.</param>
/// <param name="Service">The service to read.</param>
/// <param name="KeyFields">Its entity's key fields.</param>
/// <param name="FirstFeature">A feature to look at.</param>
/// <param name="GetCommand">The command that reads it.</param>
public sealed record NewProjectResult(
    IReadOnlyList<NewProjectQuestion> Questions, IReadOnlyList<string> Files, string? Service = null, IReadOnlyList<string>? KeyFields = null, string? FirstFeature = null, string? GetCommand = null);

/// <summary>Writes a first catalogue, schema and mapping for a file of the user's. Thread-safe.</summary>
public static class ProjectStarter
{
    /// <exception cref="RowFileException">The file cannot be read.</exception>
    /// <exception cref="IOException">There is a project in the folder already.</exception>
    public static NewProjectResult Create(NewProjectRequest request)
    {
        var profile = FileProfile.Read(request.File);
        var questions = new List<NewProjectQuestion>();
        var time = ChooseTime(request, profile, questions);
        var keys = ChooseKey(request, profile, time, questions);
        if (questions.Count > 0)
            return new NewProjectResult(questions, []);
        var name = ProjectWriter.Plain(request.Name ?? Path.GetFileNameWithoutExtension(request.File)).Replace('_', '-');
        var relative = Path.GetRelativePath(Path.GetFullPath(request.OutputFolder), Path.GetFullPath(request.File));
        var writer = new ProjectWriter(name, relative, profile, time!, keys);
        return new NewProjectResult([], Write(request.OutputFolder, name, writer), writer.Service, writer.KeyFields, writer.FirstFeature, writer.GetCommand);
    }

    private static ColumnProfile? ChooseTime(NewProjectRequest request, FileProfile profile, List<NewProjectQuestion> questions)
    {
        var candidates = profile.TimeCandidates.Select(c => c.Name).ToList();
        if (request.Time is null)
            questions.Add(new NewProjectQuestion("--time", "Which column says when the event happened?", candidates));
        else if (profile.Find(request.Time) is not { } column)
            questions.Add(new NewProjectQuestion("--time", $"There is no column '{request.Time}'; the file has {string.Join(", ", profile.Columns.Select(c => c.Name))}.", candidates));
        else if (column.Time is null)
            questions.Add(new NewProjectQuestion("--time", $"More than one in a hundred values of '{request.Time}' are no times that are understood; choose another, or write the mapping by hand with `format:`.", candidates));
        else
            return column;
        return null;
    }

    private static List<ColumnProfile> ChooseKey(NewProjectRequest request, FileProfile profile, ColumnProfile? time, List<NewProjectQuestion> questions)
    {
        var candidates = profile.KeyCandidates.Where(c => c != time).Select(c => c.Name).ToList();
        if (request.Key is not { Count: > 0 })
        {
            questions.Add(new NewProjectQuestion("--key", "Which column, or columns, say whom or what the event is about?", candidates));
            return [];
        }

        var keys = new List<ColumnProfile>();
        foreach (var name in request.Key)
        {
            if (profile.Find(name) is not { } column)
                questions.Add(new NewProjectQuestion("--key", $"There is no column '{name}'; the file has {string.Join(", ", profile.Columns.Select(c => c.Name))}.", candidates));
            else if (column.Type == Shared.Events.FieldType.Float64 || column == time)
                questions.Add(new NewProjectQuestion("--key", $"Column '{name}' is {(column == time ? "the time" : "a fraction")} and cannot be a key.", candidates));
            else
                keys.Add(column);
        }

        return keys;
    }

    private static List<string> Write(string folder, string name, ProjectWriter writer)
    {
        (string Path, string Text)[] files =
        [
            ("catalog.yaml", writer.Catalog()), ($"schemas/{name}.avsc", writer.Schema()), ("mapping.yaml", writer.Mapping()), ("README.md", writer.Readme()),
        ];
        var paths = files.Select(f => Path.GetFullPath(Path.Combine(folder, f.Path))).ToList();
        if (paths.Find(File.Exists) is { } existing)
            throw new IOException($"{existing} is there already; name another folder with --out, or remove it.");
        Directory.CreateDirectory(Path.Combine(folder, "schemas"));
        for (var i = 0; i < files.Length; i++)
            File.WriteAllText(paths[i], files[i].Text.ReplaceLineEndings("\n"));
        return paths;
    }
}
