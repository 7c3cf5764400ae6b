using StreamMl.TestKit.Servers;

[assembly: AssemblyFixture(typeof(KafkaFixture))]
[assembly: AssemblyFixture(typeof(RedisFixture))]
[assembly: AssemblyFixture(typeof(StreamMl.Infrastructure.Tests.Store.StoreServers))]
