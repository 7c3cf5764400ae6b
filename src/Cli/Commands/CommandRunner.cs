using System.CommandLine;
using System.CommandLine.Invocation;
using StreamMl.FeatureEngine.Views;

namespace StreamMl.Cli.Commands;

/// <summary>Runs the program: what a user can mend is one clear message and exit code 2; what only we can mend keeps its stack trace.</summary>
internal static class CommandRunner
{
    public const int Failed = 1;
    public const int Usage = 2;

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        var arguments = root.Parse(args);
        // A command that cannot be asked to stop is ended by a signal, as any program.
        using var signals = arguments.Action is AsynchronousCommandLineAction ? new StopSignals(Environment.Exit) : null;
        return await RunAsync(arguments, signals?.Asked ?? CancellationToken.None);
    }

    internal static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        try
        {
            // The library's own handling of signals would end a worker two seconds into its drain.
            return await arguments.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop);
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
        catch (Exception error) when (IsUsers(error))
        {
            await Console.Error.WriteLineAsync($"streamml: {error.Message}{Remedy(error)}");
            return Usage;
        }
    }

    /// <summary>For what libraries say that do not know of this program's options.</summary>
    private static string Remedy(Exception error) => error switch
    {
        { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException } => " Another process listens there: stop it, or name another address (--listen, --http, --ops).",
        Confluent.Kafka.KafkaException { Error.IsLocalError: true, Error.IsFatal: false } => ". No broker answers as it should: start Kafka, or name another by --kafka (STREAMML_KAFKA).",
        Confluent.Kafka.KafkaException { Error.Code: Confluent.Kafka.ErrorCode.UnsupportedVersion } =>
            ". Group protocols of KIP-848 need Kafka 4.0 or later: on an older one set Features__UseConsumerProtocol=false and Archive__UseConsumerProtocol=false.",
        _ => "",
    };

    /// <summary>Errors that come from what was typed, written in a file, or not running; their messages name the value and the remedy.</summary>
    private static bool IsUsers(Exception error) =>
        error is DefinitionException or ArgumentException or FormatException or IOException or UnauthorizedAccessException or InvalidDataException
        || (error.GetType().Namespace?.StartsWith("StreamMl.", StringComparison.Ordinal) ?? false)
        || error is StackExchange.Redis.RedisException or Confluent.Kafka.KafkaException or HttpRequestException
        || error is Microsoft.Extensions.Options.OptionsValidationException;
}
