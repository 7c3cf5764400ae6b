using StreamMl.Infrastructure.Hosting;
using StreamMl.StreamFeatures;

return await WorkerHost.RunAsync(args, services => services.AddStreamFeatures());
