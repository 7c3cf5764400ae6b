namespace StreamMl.Training.Search;

/// <summary>One training of a search.</summary>
/// <param name="Number">From 0.</param>
/// <param name="Parameters">What was tried.</param>
/// <param name="Quality">The main metric on the validation part, so that more is better.</param>
/// <param name="Share">Share of the full training that it was given (successive halving).</param>
public sealed record Trial(int Number, IReadOnlyDictionary<string, double> Parameters, double Quality, double Share);
