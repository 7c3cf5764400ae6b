using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StreamMl.Infrastructure.Catalogs;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Registry;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures;

// The stream worker by itself, on servers from outside: --catalog FILE --kafka SERVERS --redis SERVERS --registry URL, or STREAMML_CATALOG and so
// on; its options as --Features:CommitIntervalMs=250 or STREAMML_Features__CommitIntervalMs. With embedded servers it is hosted by `streamml`.
var builder = Host.CreateApplicationBuilder(args);
builder.Configuration.AddEnvironmentVariables("STREAMML_").AddCommandLine(args);

string[] missing = [.. new[] { "catalog", "kafka", "redis", "registry" }.Where(name => string.IsNullOrEmpty(builder.Configuration[name]))];
if (missing.Length > 0)
{
    Console.Error.WriteLine($"missing: {string.Join(", ", missing.Select(name => $"--{name} (or STREAMML_{name.ToUpperInvariant()})"))}");
    return 2;
}

var endpoint = RedisEndpoint.Of(builder.Configuration["redis"]!);
RedisStateStore store;
try
{
    store = new RedisStateStore(await endpoint.ConnectAsync(CancellationToken.None));
}
catch (RedisUnsuitableException e)
{
    // What is wrong and what to set is all in the message; where in the program it was found helps nobody.
    Console.Error.WriteLine(e.Message);
    return 2;
}

foreach (var warning in endpoint.Warnings)
    Console.Error.WriteLine($"warning: {warning}");
builder.Services
    .AddSingleton(CatalogFile.Load(builder.Configuration["catalog"]!).Require())
    .AddSingleton(KafkaEndpoint.Of(builder.Configuration["kafka"]!))
    .AddSingleton(new SchemaRegistryClient(builder.Configuration["registry"]!))
    .AddSingleton<IStateStore>(store)
    .AddStreamFeatures();
await builder.Build().RunToEndAsync();
return 0;
