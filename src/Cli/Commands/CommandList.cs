using System.CommandLine;

namespace StreamMl.Cli.Commands;

/// <summary>Every command of the program, in the order in which help shows them.</summary>
internal static class CommandList
{
    public static IEnumerable<Command> All() =>
    [
        DemoCommand.Create(), NewCommand.Create(), ValidateCommand.Create(), PlanCommand.Create(), WorkerCommands.Up(), WorkerCommands.Ingest(), WorkerCommands.Archive(), WorkerCommands.Features(),
        WorkerCommands.Serve(), WorkerCommands.Registry(), GetCommand.Create(), BackfillCommand.Create(), TrainCommand.Create(), PredictBatchCommand.Create(), ExplainCommand.Create(),
        LeakCheckCommand.Create(), RunsCommand.Create(), ModelsCommand.Create(), MlflowCommand.Create(),
        CheckCommands.Parity(), CheckCommands.Ledger(), ResetCommand.Create(), RebuildCommand.Create(), RolloutCommand.Create(), WorkerCommands.Healthy(),
    ];
}
