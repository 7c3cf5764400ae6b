using System.CommandLine;
using StreamMl.Cli.Commands;

var root = new RootCommand("StreamMl: streaming features, training sets and predictions from one log, equal to the byte.");
foreach (var command in CommandList.All())
    root.Subcommands.Add(command);
return await CommandRunner.RunAsync(root, args);
