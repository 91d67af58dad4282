namespace Lb.Vrrp;

/// <summary>What a tracker has found.</summary>
/// <param name="Well">Whether it is well; of a file: whether its number is 0.</param>
/// <param name="Value">The number in a file, -254 to 254; 0 of everything else.</param>
/// <param name="Text">What was found, for people.</param>
internal readonly record struct TrackReport(bool Well, int Value, string Text);

/// <summary>
/// Watches one thing that a router follows. It says how the thing is; what that means for the priority (weight, reverse, the product of a file's number) is
/// its owner's to say.
/// </summary>
internal interface ITracker : IDisposable
{
    /// <summary>What it watches, for people.</summary>
    string Name { get; }

    /// <summary>Begins. Once.</summary>
    /// <param name="report">
    /// Told once after the first look, which may be before this returns, and then of every change, one at a time and in order, on any thread: must not block or throw. A call may be under way
    /// while the tracker is disposed; none begins after.
    /// </param>
    void Start(Action<TrackReport> report);
}
