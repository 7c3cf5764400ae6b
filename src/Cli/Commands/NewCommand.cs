using System.CommandLine;
using StreamMl.Ingestors.NewProject;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml new FILE</c>: a first catalogue, schema and mapping from a file of the user's; asks for what it cannot know.</summary>
internal static class NewCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "CSV, JSON lines or Parquet" };
        var time = new Option<string?>("--time") { Description = "The column that says when the event happened" };
        var key = new Option<string?>("--key") { Description = "The column, or columns with commas, that say whom the event is about" };
        var name = new Option<string?>("--name") { Description = "Name of the source; default: the file's" };
        var output = new Option<string?>("--out") { Description = "Folder of the project; default: a new one of the source's name" };
        var command = new Command("new", "Write a first catalogue, schema and mapping for a file of yours") { file, time, key, name, output };
        command.SetAction(arguments => Run(
            arguments.GetValue(file)!, arguments.GetValue(time), arguments.GetValue(key), arguments.GetValue(name), arguments.GetValue(output)));
        return command;
    }

    private static int Run(string file, string? time, string? key, string? name, string? output)
    {
        output ??= name ?? Path.GetFileNameWithoutExtension(file);
        while (true)
        {
            var keys = key?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            var result = ProjectStarter.Create(new NewProjectRequest(file, time, keys, name, output));
            if (result.Questions.Count == 0)
                return Written(result, output);
            foreach (var question in result.Questions)
                Console.WriteLine($"{question.Option}: {question.Text}{(question.Candidates.Count > 0 ? $" Perhaps {string.Join(", ", question.Candidates.Take(5))}." : "")}");
            // Only a person can answer; a script gets the questions and exit code 2.
            if (Console.IsInputRedirected)
                return CommandRunner.Usage;
            foreach (var option in result.Questions.Select(q => q.Option).Distinct())
            {
                Console.Write($"{option}: ");
                if (Console.ReadLine() is not { Length: > 0 } answer)
                    return CommandRunner.Usage;
                _ = option == "--time" ? time = answer : key = answer;
            }
        }
    }

    private static int Written(NewProjectResult result, string output)
    {
        foreach (var path in result.Files)
            Console.WriteLine($"wrote {Path.GetRelativePath(Environment.CurrentDirectory, path)}");
        Console.WriteLine($"""

            Next:
              cd {output}
              streamml up --replay mapping.yaml      # runs everything, and stays
              {result.GetCommand}   # in the same folder, in another shell
            """);
        return 0;
    }
}
