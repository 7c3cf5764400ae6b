using StreamMl.Infrastructure.Hosting;
using StreamMl.OnlineScorer;

return await WorkerHost.RunAsync(args, services => services.AddFeatureApi().AddTriggerServing());
