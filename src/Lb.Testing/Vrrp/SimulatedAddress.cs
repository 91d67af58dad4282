namespace Lb.Testing;

/// <summary>The virtual address of one router number in a <see cref="VrrpSimulation"/>, and its client.</summary>
public sealed class SimulatedAddress
{
    private readonly VrrpSimulation _simulation;
    private readonly HashSet<VrrpNode> _holders = [];
    private readonly List<VrrpSimulationSpan> _outages = [];
    private readonly List<VrrpSimulationSpan> _dual = [];
    private VrrpNode? _believed;
    private TimeSpan? _outSince;
    private TimeSpan? _dualSince;
    private bool _wasAnswered;
    private long _asked;

    internal SimulatedAddress(VrrpSimulation simulation, int routerId)
    {
        _simulation = simulation;
        RouterId = routerId;
        Ask();
    }

    /// <summary>Number of the router.</summary>
    public int RouterId { get; }

    /// <summary>Names of the nodes whose kernel has the address, be their process alive or not.</summary>
    public IReadOnlyList<string> Holders => [.. _simulation.Nodes.Where(_holders.Contains).Select(static n => n.Name)];

    /// <summary>Whom the client sends its packets to; null = it has never had an answer.</summary>
    public string? Believed => _believed?.Name;

    /// <summary>True while the client's packets are answered.</summary>
    public bool IsAnswered => _believed is { IsReached: true } node && _holders.Contains(node);

    /// <summary>Times without an answer, after the first one; the last may go on.</summary>
    public IReadOnlyList<VrrpSimulationSpan> Outages => With(_outages, _wasAnswered ? _outSince : null);

    /// <summary>Times in which more than one running node was Active.</summary>
    public IReadOnlyList<VrrpSimulationSpan> DualActive => With(_dual, _dualSince);

    internal bool IsHeldBy(VrrpNode node) => _holders.Contains(node);

    internal void Hold(VrrpNode node, bool holds)
    {
        if (holds ? !_holders.Add(node) : !_holders.Remove(node)) return;
        _simulation.Note(node.Name, $"{(holds ? "has" : "has not")} the address of {RouterId}");
        Look();
    }

    // A gratuitous ARP has reached the client.
    internal void Announced(VrrpNode node)
    {
        _believed = node;
        Look();
    }

    /// <summary>To be called after everything that may change what is measured.</summary>
    internal void Look()
    {
        TimeSpan now = _simulation.Now;
        bool isDual = _simulation.CountActive(RouterId) > 1;
        if (isDual && _dualSince is null) _dualSince = now;
        if (!isDual && _dualSince is { } dual)
        {
            if (now > dual) _dual.Add(new VrrpSimulationSpan(dual, now));
            _dualSince = null;
        }

        if (IsAnswered)
        {
            if (_outSince is { } since && _wasAnswered && now > since) _outages.Add(new VrrpSimulationSpan(since, now));
            if (_outSince is not null || !_wasAnswered) _simulation.Note($"client {RouterId}", $"is answered by {_believed!.Name}");
            _outSince = null;
            _wasAnswered = true;
        }
        else if (_outSince is null)
        {
            _outSince = now;
            if (_wasAnswered) _simulation.Note($"client {RouterId}", "has no answer");
            AskAt(now + _simulation.ArpTimeout, ++_asked);
        }
    }

    private void AskAt(TimeSpan at, long which) => _simulation.At(at, () =>
    {
        // Answered meanwhile, perhaps lost again: then another question is under way.
        if (which == _asked && _outSince is not null) Ask();
    });

    // Everybody who has the address answers; the first answer counts.
    private void Ask()
    {
        VrrpNode[] answering = [.. _simulation.Nodes.Where(n => n.IsReached && _holders.Contains(n))];
        if (answering.Length > 0) Announced(answering[_simulation.Random(answering.Length)]);
        else AskAt(_simulation.Now + TimeSpan.FromSeconds(1), ++_asked);
        _outSince ??= IsAnswered ? null : _simulation.Now;
    }

    private IReadOnlyList<VrrpSimulationSpan> With(List<VrrpSimulationSpan> ended, TimeSpan? open) =>
        open is { } since && _simulation.Now > since ? [.. ended, new VrrpSimulationSpan(since, _simulation.Now)] : [.. ended];
}
