using System.Globalization;
using System.Text;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Predictions;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>
/// Writes predictions of one model as Avro. What it writes is a function of the event, what was read for it, and the model: no clock is in it. Not thread-safe.
/// </summary>
internal sealed class PredictionEncoder
{
    private readonly LoadedModel model;
    private readonly FieldType[] inputTypes;
    private readonly Dictionary<string, byte[]> decisions;
    private readonly int schemaId;
    private readonly int[] triggerColumns;
    private readonly byte[] idPrefix;
    private readonly byte[] named;
    private readonly byte[] topic;
    private readonly byte[][] views;
    private readonly AvroBuffer buffer = new();
    private readonly byte[] digits = new byte[64];

    /// <param name="serving">The model and its variant.</param>
    /// <param name="triggerTopic">The trigger's topic.</param>
    /// <param name="trigger">The trigger's fields as they are decoded.</param>
    /// <param name="schema">What is written.</param>
    /// <param name="schemaId">Its id in the registry.</param>
    public PredictionEncoder(ServingModel serving, string triggerTopic, EventSchema trigger, PredictionSchema schema, int schemaId)
    {
        model = serving.Model;
        this.schemaId = schemaId;
        inputTypes = [.. schema.Inputs.Select(i => i.Type)];
        decisions = model.Classes.Distinct(StringComparer.Ordinal).ToDictionary(c => c, Encoding.UTF8.GetBytes, StringComparer.Ordinal);
        triggerColumns = [.. schema.TriggerFields.Select(f => trigger.IndexOf(f.Name))];
        idPrefix = PredictionId.Prefix(model.Version, triggerTopic);
        topic = Encoding.UTF8.GetBytes(triggerTopic);
        views = [.. model.Service.Views.Select(v => ViewHeader(v))];
        var head = new AvroBuffer();
        foreach (var text in new[] { model.Version.Name, model.Version.Version, serving.Variant, model.Service.Program.Name })
            head.Text(Encoding.UTF8.GetBytes(text));
        named = head.Written.ToArray();
    }

    /// <summary>The record, in a buffer that the next one is written to.</summary>
    public ReadOnlyMemory<byte> Encode(ServedBatch batch, int request, ScoredRow scored)
    {
        var trigger = batch.Triggers[request];
        buffer.Clear();
        buffer.Header(schemaId);
        WriteId(trigger.Partition, trigger.Offset);
        buffer.Raw(named);
        buffer.Text(topic);
        buffer.Long(trigger.Partition.Partition);
        buffer.Long(trigger.Offset);
        buffer.Long(trigger.EventTimeUs);
        buffer.Long(trigger.ArrivalTimeUs);
        foreach (var column in triggerColumns)
            WriteCell(batch.Events, column, trigger.Row);
        WriteScores(scored, batch.IsCaughtUp);
        WriteInputs(scored.Vector);
        WriteViews(batch.Read, request);
        return buffer.WrittenMemory;
    }

    private static byte[] ViewHeader(ServedView view)
    {
        var header = new AvroBuffer();
        header.Text(Encoding.UTF8.GetBytes(view.Name));
        header.Text(Encoding.UTF8.GetBytes(view.Log));
        return header.Written.ToArray();
    }

    private void WriteId(PartitionId partition, long offset)
    {
        partition.Partition.TryFormat(digits, out var length, default, CultureInfo.InvariantCulture);
        digits[length++] = (byte)'/';
        offset.TryFormat(digits.AsSpan(length), out var more, default, CultureInfo.InvariantCulture);
        length += more;
        buffer.Long(idPrefix.Length + length);
        buffer.Raw(idPrefix);
        buffer.Raw(digits.AsSpan(0, length));
    }

    private void WriteScores(ScoredRow scored, bool isCaughtUp)
    {
        buffer.Double(scored.Score);
        buffer.Long(scored.Scores.Length);
        foreach (var score in scored.Scores)
            buffer.Double(score);
        buffer.Long(0);
        buffer.Long(scored.Decision is null ? 0 : 1);
        if (scored.Decision is { } decision)
            buffer.Text(decisions[decision]);
        buffer.Long(model.Threshold is null ? 0 : 1);
        if (model.Threshold is { } threshold)
            buffer.Double(threshold);
        buffer.Boolean(isCaughtUp);
        if (scored.Flags.Count > 0)
        {
            buffer.Long(scored.Flags.Count);
            foreach (var flag in scored.Flags)
                buffer.Text(Encoding.UTF8.GetBytes(flag));
        }

        buffer.Long(0);
    }

    private void WriteViews(ReadBatch read, int request)
    {
        if (views.Length > 0)
            buffer.Long(views.Length);
        for (var view = 0; view < views.Length; view++)
        {
            ref readonly var answer = ref read.Answer(request, view);
            buffer.Raw(views[view]);
            buffer.Long(answer.Partition);
            buffer.Long(answer.NextOffset);
            WriteNullable(answer.WatermarkUs == PositionRecord.None ? null : answer.WatermarkUs);
            buffer.Long(answer.Read.EffectiveTimeUs);
            WriteNullable(answer.AgeUs);
        }

        buffer.Long(0);
    }

    private void WriteNullable(long? value)
    {
        buffer.Long(value is null ? 0 : 1);
        if (value is { } number)
            buffer.Long(number);
    }

    private void WriteCell(EventBatch events, int column, int row)
    {
        var from = events.ColumnSpan[column];
        WriteLane(from.Valid[row] != 0, from.Lanes[row], from.Type, events.Arena);
    }

    private void WriteInputs(FeatureRow vector)
    {
        ReadOnlySpan<FieldType> types = inputTypes;
        var lanes = vector.Lanes.AsSpan(0, types.Length);
        var valid = vector.Valid.AsSpan(0, types.Length);
        for (var input = 0; input < types.Length; input++)
        {
            if (types[input] == FieldType.Float64)
                buffer.NullableDouble(valid[input] != 0, lanes[input]);
            else
                WriteLane(valid[input] != 0, lanes[input], types[input], vector.Arena);
        }
    }

    private void WriteLane(bool isValid, long lane, FieldType type, Utf8Arena arena)
    {
        buffer.Long(isValid ? 1 : 0);
        if (!isValid)
            return;
        switch (type)
        {
            case FieldType.Boolean: buffer.Boolean(lane != 0); break;
            case FieldType.Float64: buffer.Double(BitConverter.Int64BitsToDouble(lane)); break;
            case FieldType.String: buffer.Text(arena.Slice(lane)); break;
            default: buffer.Long(lane); break;
        }
    }
}
