namespace Lb.Peers;

/// <summary>One figure of one proxy under one load in one round.</summary>
/// <param name="Value">In the load's unit: CPU per unit of work, or memory per connection.</param>
/// <param name="Rate">In the load's rate unit, for information.</param>
/// <param name="Switches">Context switches of the proxy per unit of work; NaN where it means nothing.</param>
internal sealed record Measurement(Load Load, string Proxy, int Round, double Value, double Rate, double Switches, IReadOnlyList<string> Errors);

/// <summary>All figures of a run.</summary>
internal sealed class Results
{
    private readonly List<Measurement> _all = [];

    public IEnumerable<string> Errors => _all.SelectMany(static m => m.Errors.Select(e => $"{m.Load.Name}, {m.Proxy}, round {m.Round}: {e}"));

    public void Add(Measurement measurement)
    {
        _all.Add(measurement);
        (Load load, string proxy, int round, double value, _, _, IReadOnlyList<string> errors) = measurement;
        Console.Error.WriteLine($"round {round}  {load.Name,-11}  {proxy,-14}  {value,8:0.000} {load.Unit}{(errors.Count > 0 ? "  ERRORS" : "")}");
        foreach (string error in errors) Console.Error.WriteLine($"  {error}");
    }

    public IReadOnlyList<Measurement> Of(Load load, string proxy) => [.. _all.Where(m => m.Load == load && m.Proxy == proxy)];

    /// <summary>Value over the baseline's value of the same round, in the order of rounds; empty without a baseline.</summary>
    public IReadOnlyList<double> Ratios(Load load, string proxy) => Ratios(load, proxy, load.Baseline);

    /// <summary>The same against another proxy.</summary>
    public IReadOnlyList<double> Ratios(Load load, string proxy, string against)
    {
        Dictionary<int, double> baseline = Of(load, against).ToDictionary(static m => m.Round, static m => m.Value);
        return [.. Of(load, proxy).Where(m => baseline.GetValueOrDefault(m.Round) > 0).Select(m => m.Value / baseline[m.Round])];
    }

    /// <summary>The middle value; of an even number the mean of the middle two; NaN of none.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
