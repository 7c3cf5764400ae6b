using StreamMl.Training.Tracking.Mlflow;

// Runs and models over MLflow's REST API, as a process of its own: --dir DIR --listen URL, or STREAMML_DIR and STREAMML_LISTEN. It needs no server, only the directory.
var builder = Host.CreateApplicationBuilder(args);
string? Setting(string name) => builder.Configuration[name] ?? Environment.GetEnvironmentVariable($"STREAMML_{name.ToUpperInvariant()}");
builder.Services.AddMlflow(options =>
{
    options.Directory = Setting("dir") ?? options.Directory;
    options.Url = Setting("listen") ?? options.Url;
});
using var host = builder.Build();
await host.RunAsync();
