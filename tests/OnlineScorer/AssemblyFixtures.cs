using StreamMl.TestKit.Servers;

[assembly: AssemblyFixture(typeof(KafkaFixture))]
