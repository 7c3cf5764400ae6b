using StreamMl.BatchBackfill;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
try
{
    return Commands.Run(args, Console.Out, Console.Error, stop.Token);
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("stopped; the same command goes on where it was");
    return 130;
}
