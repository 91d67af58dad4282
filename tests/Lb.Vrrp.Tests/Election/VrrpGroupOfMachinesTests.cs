namespace Lb.Vrrp.Tests;

/// <summary>Several machines on one link without loss or delay: who is Active is a matter of their own rules only.</summary>
[Trait("Row", "V2")]
[Trait("Row", "V15")]
public sealed class VrrpGroupOfMachinesTests
{
    public static TheoryData<int> Runs => [.. Enumerable.Range(1, 100)];

    [Theory]
    [MemberData(nameof(Runs))]
    public void There_is_exactly_one_Active_a_time_out_after_any_fault(int seed)
    {
        Random random = new(seed);
        Link link = new(random.Next(2, 6), random, handover: random.Next(2) == 0, preempt: random.Next(2) == 0);
        for (int fault = 0; fault < 20; fault++)
        {
            int node = random.Next(link.Nodes.Length);
            VrrpMachine machine = link.Nodes[node];
            switch (random.Next(4))
            {
                case 0: link.Do(node, machine.Fault(link.Now)); break;
                case 1: link.Do(node, machine.Stop(link.Now)); break;
                case 2: link.Cut(node); break;
                default: machine.SetPriority((byte)random.Next(1, 255), link.Now); break;
            }

            // The longest: what preempts or hears nobody waits three intervals and a skew, and a hand-over may be ended by its time alone.
            link.Run(link.Now + TimeSpan.FromSeconds(8.1));
            Assert.Equal(link.Reachable == 0 ? 0 : 1, link.ActiveCount);
            link.Heal(node);
            link.Run(link.Now + TimeSpan.FromSeconds(8.1));
            Assert.Equal(1, link.ActiveCount);
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    [Trait("Row", "V4")]
    [Trait("Row", "B6")]
    public void After_a_split_the_best_one_wins_and_the_winner_announces_again(int seed)
    {
        Random random = new(seed);
        Link link = new(2, random, handover: true, preempt: true);
        link.Run(TimeSpan.FromSeconds(5));
        link.Cut(0);
        link.Cut(1);
        link.Run(TimeSpan.FromSeconds(15));
        Assert.All(link.Nodes, static n => Assert.Equal(RouterState.Active, n.State));
        link.Announced.Clear();
        link.Join();
        link.Run(link.Now + TimeSpan.FromSeconds(1.01)); // One advert of either is enough.
        Assert.Equal(1, link.ActiveCount);
        int winner = Array.FindIndex(link.Nodes, static n => n.State == RouterState.Active);
        Assert.True(link.Nodes[winner].EffectivePriority >= link.Nodes[1 - winner].EffectivePriority);
        Assert.Contains(winner, link.Announced);
    }

    private sealed class Link
    {
        private readonly PeerAddress[] _addresses;
        private readonly bool[] _isCut;
        private readonly Queue<(int From, byte Priority)> _wire = new();

        public Link(int nodes, Random random, bool handover, bool preempt)
        {
            Nodes = [.. Enumerable.Range(0, nodes).Select(_ => new VrrpMachine(new VrrpSettings { Priority = (byte)random.Next(1, 255), Handover = handover, Preempt = preempt }))];
            _addresses = [.. Enumerable.Range(1, nodes).Select(static i => PeerAddress.FromV4(0x0A4D0000 + (uint)i, 0))];
            _isCut = new bool[nodes];
            for (int i = 0; i < nodes; i++)
            {
                Nodes[i].Ready(Now);
                Do(i, Nodes[i].Start(Now));
            }
        }

        public VrrpMachine[] Nodes { get; }

        public TimeSpan Now { get; private set; }

        public List<int> Announced { get; } = [];

        public int ActiveCount => Nodes.Where((n, i) => n.State == RouterState.Active && !_isCut[i]).Count();

        public int Reachable => Nodes.Where((n, i) => n.State is RouterState.Active or RouterState.Backup && !_isCut[i]).Count();

        public void Cut(int node) => _isCut[node] = true;

        public void Join() => Array.Clear(_isCut);

        public void Heal(int node)
        {
            _isCut[node] = false;
            Do(node, Nodes[node].Recover(Now));
            Do(node, Nodes[node].Start(Now));
        }

        public void Run(TimeSpan until)
        {
            while (Nodes.Min(static n => n.Deadline) is var next && next <= until)
            {
                Now = next > Now ? next : Now;
                for (int i = 0; i < Nodes.Length; i++) Do(i, Nodes[i].DeadlineReached(Now));
            }

            Now = until;
        }

        public void Do(int node, VrrpActions actions)
        {
            Act(node, actions);
            for (int heard = 0; _wire.TryDequeue(out (int From, byte Priority) advert); heard++)
            {
                Assert.True(heard < 100, "They answer each other without end.");
                for (int i = 0; i < Nodes.Length; i++)
                {
                    if (i == advert.From || _isCut[i] || _isCut[advert.From]) continue;
                    VrrpAdvertisement message = new() { Version = 3, RouterId = 1, Priority = advert.Priority, Interval = TimeSpan.FromSeconds(1), AddressCount = 1 };
                    Act(i, Nodes[i].Received(message, _addresses[advert.From], _addresses[i], Now, Now));
                }
            }
        }

        private void Act(int node, VrrpActions actions)
        {
            if (actions.HasFlag(VrrpActions.SendLastAdvertisement)) _wire.Enqueue((node, Nodes[node].EffectivePriority));
            if (actions.HasFlag(VrrpActions.SendResign)) _wire.Enqueue((node, 0));
            if ((actions & (VrrpActions.Announce | VrrpActions.AnnounceOnce)) != 0) Announced.Add(node);
            if (actions.HasFlag(VrrpActions.SendAdvertisement)) _wire.Enqueue((node, Nodes[node].EffectivePriority));
        }
    }
}
