using StreamMl.Infrastructure.Hosting;
using StreamMl.Ingestors;
using StreamMl.Ingestors.Archiving;

return await WorkerHost.RunAsync(args, services => services.AddReplay().AddArchiver());
