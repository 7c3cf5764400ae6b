using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.ObjectPool;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Events;

namespace StreamMl.OnlineScorer.Api.Predicting;

/// <summary>The rows of one request to one model, from what the caller gave to what was scored. Reused; one owner at a time.</summary>
internal sealed class PredictWork(LoadedModel model)
{
    private static readonly ConditionalWeakTable<LoadedModel, ObjectPool<PredictWork>> Idle = [];
    private const int MaxIdle = 64;
    private const int MaxKeptAnswer = 1 << 20;
    private readonly List<ApiProblem?> problems = [];
    private readonly bool[] named = new bool[model.Service.Program.Keys.Count + model.GivenSchema.Fields.Count];
    private (string Variant, byte[] Bytes) head = ("", []);
    private ArrayBufferWriter<byte>? answer;
    private Utf8JsonWriter? json;

    /// <summary>Behind the rows.</summary>
    private static ReadOnlySpan<byte> AnswerEnd => "]}"u8;

    public LoadedModel Model => model;

    public ReadBatch Read { get; } = new(model.Service);

    /// <summary>What the caller gave beside the keys: a row per request.</summary>
    public EventBatch Given { get; } = new(model.GivenSchema, 16);

    public ModelSession Session { get; } = new(model, model.GivenColumns(model.GivenSchema, "the request"));

    public int Count => problems.Count;

    /// <summary>What ids of predictions by this model begin with.</summary>
    public string IdPrefix { get; } = $"{model.Version}/request/";

    /// <summary>Room for what an id is made of.</summary>
    public Utf8Arena IdBytes { get; } = new(256);

    /// <summary>The answer as it was written so far; flush the writer first.</summary>
    public ReadOnlyMemory<byte> Answer => answer?.WrittenMemory ?? default;

    /// <summary>What a row may name: by name the slot of a key and the column of a given input, -1 for neither.</summary>
    public (byte[] Name, int Slot, int Column)[] Members { get; } =
    [
        .. model.Service.Program.Keys.Select(k => k.Name).Concat(model.GivenSchema.Fields.Select(f => f.Name)).Distinct(StringComparer.Ordinal)
            .Select(n => (Encoding.UTF8.GetBytes(n), model.Service.Program.KeyIndex(n), model.GivenSchema.IndexOf(n))),
    ];

    /// <summary>By member, whether the row that is being read has named it.</summary>
    public Span<bool> Named => named.AsSpan(0, Members.Length);

    /// <summary>Index in <see cref="Members"/> of the name that the reader stands on, or -1. Callers mostly name them in one order: the search begins at <paramref name="expected"/>.</summary>
    public int FindMember(ref Utf8JsonReader json, int expected)
    {
        for (var i = 0; i < Members.Length; i++)
        {
            var at = (expected + i) % Members.Length;
            if (json.ValueTextEquals(Members[at].Name))
                return at;
        }

        return -1;
    }

    /// <summary>The names of those that are not <see cref="Named"/>.</summary>
    public IEnumerable<string> Unnamed() => Members.Where((_, at) => !named[at]).Select(m => Encoding.UTF8.GetString(m.Name));

    /// <summary>
    /// Begins a new answer with what is the same for every answer of this model, up to where the rows follow.
    /// </summary>
    /// <param name="variant">As which the model serves.</param>
    /// <param name="writeHead">Writes the whole of an answer without rows; called where none of this variant was written before.</param>
    public Utf8JsonWriter NewAnswer(string variant, Action<Utf8JsonWriter, LoadedModel, string> writeHead)
    {
        answer ??= new ArrayBufferWriter<byte>(4_096);
        json ??= new Utf8JsonWriter(answer);
        if (head.Variant != variant)
        {
            answer.ResetWrittenCount();
            json.Reset(answer);
            writeHead(json, model, variant);
            json.Flush();
            head = (variant, answer.WrittenSpan[..^AnswerEnd.Length].ToArray());
        }

        answer.ResetWrittenCount();
        answer.Write(head.Bytes);
        json.Reset(answer);
        return json;
    }

    /// <summary>Takes the row that the writer wrote; another may follow.</summary>
    public void EndRow(bool isLast)
    {
        json!.Flush();
        answer!.Write(isLast ? AnswerEnd : ","u8);
        json.Reset(answer!);
    }

    /// <summary>Ends an answer without rows.</summary>
    public void EndEmpty() => answer!.Write(AnswerEnd);

    /// <summary>Scores a row; the result is in <see cref="Session"/>. Returns what is wrong with it, or null.</summary>
    public ApiProblem? Score(int row)
    {
        if (problems[row] is { } problem)
            return problem;
        return Session.Run(Read, row, Given, row) is { } refusal ? new ApiProblem(422, "refused", refusal, "see the scoring policy of the service") : null;
    }

    /// <summary>Idle ones live as long as their model.</summary>
    public static PredictWork Rent(LoadedModel model) => PoolOf(model).Get();

    public void Return()
    {
        Clear();
        PoolOf(model).Return(this);
    }

    /// <summary>Adds a row whose given fields are null.</summary>
    public int Add(long asOfUs)
    {
        var row = Given.NextRow();
        for (var column = 0; column < Given.Columns.Count; column++)
            Given.Columns[column].SetNull(row);
        Given.Count++;
        problems.Add(null);
        return Read.Add(asOfUs);
    }

    /// <summary>The row is not scored; the others are.</summary>
    public void Fail(int row, ApiProblem problem) => problems[row] = problem;

    private static ObjectPool<PredictWork> PoolOf(LoadedModel model) => Idle.GetValue(model, static m => new DefaultObjectPool<PredictWork>(new Policy(m), MaxIdle));

    private void Clear()
    {
        problems.Clear();
        if (answer is { Capacity: > MaxKeptAnswer })
            answer = null;
        Read.Clear();
        Given.Clear();
    }

    private sealed class Policy(LoadedModel model) : PooledObjectPolicy<PredictWork>
    {
        public override PredictWork Create() => new(model);

        public override bool Return(PredictWork obj) => true;
    }
}
