using System.CommandLine;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StreamMl.Training.Tracking.Mlflow;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml mlflow</c>: runs and models for MLflow's clients.</summary>
internal static class MlflowCommand
{
    public static Command Create()
    {
        var listen = new Option<string>("--listen") { Description = "URL; whoever reaches it may read and write", DefaultValueFactory = _ => "http://127.0.0.1:5000" };
        var command = new Command("mlflow", "Serve runs and models over MLflow's REST API, until Ctrl-C") { listen, CommonOptions.Directory };
        command.SetAction(async (arguments, stop) =>
        {
            var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
            builder.Logging.AddSimpleConsole(o => o.SingleLine = true);
            builder.Services.AddMlflow(o =>
            {
                o.Url = arguments.GetValue(listen)!;
                o.Directory = arguments.GetValue(CommonOptions.Directory)!;
            });
            using var host = builder.Build();
            await host.StartAsync(stop);
            Console.WriteLine($"export MLFLOW_TRACKING_URI={((MlflowServer)host.Services.GetService(typeof(MlflowServer))!).Address}");
            await host.WaitForShutdownAsync(stop);
            return 0;
        });
        return command;
    }
}
