using System.Net;
using System.Net.Sockets;

namespace Lb.Health;

/// <summary>What is asked of whom, whoever asks: checks with equal keys have equal results. Immutable.</summary>
/// <remarks>
/// Equal are the address (host names that nobody has looked up are never equal), the name that it was found by if the kind may ask for that, the PROXY header that connections begin with, every option of the check, its own counting included, what is in its files, and the time
/// limits, which depend on the pool. Left out are kinds whose question names the server or the pool, or that are not ours: <see cref="CheckPlan.IsShareable"/>.
/// </remarks>
internal sealed class ProbeKey : IEquatable<ProbeKey>
{
    private readonly CheckPlan _plan;
    private readonly CheckTimeouts _limits;
    private readonly string? _hostName;
    private readonly ReadOnlyMemory<byte> _preamble;

    private ProbeKey(EndPoint endPoint, CheckPlan plan, CheckTimeouts limits, string? hostName, ReadOnlyMemory<byte> preamble)
    {
        EndPoint = endPoint;
        _plan = plan;
        _limits = limits;
        _hostName = hostName;
        _preamble = preamble;
    }

    public EndPoint EndPoint { get; }

    /// <summary>The key of a check; null when nobody else may have its result.</summary>
    public static ProbeKey? Of(ServerCheck check) =>
        check.Plan.IsShareable && check.EndPoint is var endPoint and (IPEndPoint or UnixDomainSocketEndPoint)
            ? new ProbeKey(endPoint, check.Plan, check.Limits, check.HostName, check.Preamble)
            : null;

    /// <summary>True while nothing of it has changed that can: the options of a check never do.</summary>
    public bool IsStillOf(ServerCheck check) => EndPoint.Equals(check.EndPoint) && _limits == check.Limits && _hostName == check.HostName && _preamble.Equals(check.Preamble);

    public bool Equals(ProbeKey? other) =>
        other is not null && EndPoint.Equals(other.EndPoint) && _limits == other._limits && _hostName == other._hostName && _preamble.Equals(other._preamble) && CheckPlan.IsSame(_plan.Options, other._plan.Options) && _plan.Files == other._plan.Files;

    public override bool Equals(object? obj) => Equals(obj as ProbeKey);

    public override int GetHashCode() => HashCode.Combine(EndPoint, StringComparer.OrdinalIgnoreCase.GetHashCode(_plan.Options.Type), _plan.Options.Interval, _limits);
}
