using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Predictions;
using StreamMl.Infrastructure.Registry;
using StreamMl.OnlineScorer.Catalogs;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>A prediction sink for every service with a trigger; models may come and go while it runs.</summary>
internal sealed class PredictionSinkFactory(
    ServedCatalog served, ModelHost host, ScoringPolicies policies, KafkaEndpoint kafka, KafkaConsumerFactory consumers, SchemaRegistryClient registry, ScoringOptions options, TimeProvider time, ILogger<PredictionSink> logger)
    : ITriggerSinkFactory
{
    public ITriggerSink? Create(ServedService service)
    {
        if (service.Program.Definition.Trigger is not { } trigger)
            return null;
        var source = served.Current.Source(trigger);
        var topic = policies.Of(service.Program.Name).Topic ?? PredictionSchema.TopicOf(service.Program.Name);
        using (var admin = new TopicAdmin(kafka))
        {
            // On the worker's own thread, before it reads anything.
            foreach (var name in new[] { topic, LogNames.DeadLetterTopic(topic) })
                admin.EnsureTopicAsync(name, source.Partitions, CancellationToken.None).GetAwaiter().GetResult();
        }

        var output = new KafkaPredictionOutput(topic, new KafkaProducerFactory(kafka).CreateSender(), consumers);
        return new PredictionSink(source, service.Program.Name, host, output, (schema, token) => RegisterAsync(service.Program.Name, topic, schema, token));
    }

    // Which of them a model reads changes with the model; decoding all costs little.
    public IEnumerable<string> TriggerFields(SourceDefinition trigger) => trigger.Schema.Fields.Select(f => f.Name);

    private async ValueTask<int> RegisterAsync(string service, string topic, string schema, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await registry.RegisterAsync($"{topic}-value", schema, cancellationToken);
            }
            catch (HttpRequestException e)
            {
                logger.PredictionsWait(service, options.RetryMs, e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(options.RetryMs), time, cancellationToken);
            }
        }
    }
}
