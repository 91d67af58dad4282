namespace Lb;

/// <summary>
/// What a server says of its own load (ORCA, the xDS load report): with an answer, or by itself from time to time. Values that are not a number, negative
/// or infinite make the whole report worthless: it is ignored and counted (<see cref="ServerPool.BadLoadReports"/>).
/// </summary>
public readonly record struct LoadReport
{
    // One more than the value, so that the default value says nothing.
    private readonly int _inFlight;

    /// <summary>How busy the application says it is, 1 = fully; 0 (default) = not told, then <see cref="CpuUtilization"/> counts.</summary>
    public double ApplicationUtilization { get; init; }

    /// <summary>How busy its processors are, 1 = fully; 0 (default) = not told.</summary>
    public double CpuUtilization { get; init; }

    /// <summary>Requests it answers in a second, from all balancers; 0 (default) = not told.</summary>
    public double RequestsPerSecond { get; init; }

    /// <summary>How many of these are errors; default 0.</summary>
    public double ErrorsPerSecond { get; init; }

    /// <summary>Requests it works on at the moment, from all balancers; -1 (default) = not told.</summary>
    public int InFlight
    {
        get => _inFlight - 1;
        init => _inFlight = value + 1;
    }
}
