using System.Threading.Channels;
using Lb;
using Lb.Vrrp;

namespace Samples.VrrpPair;

/// <summary>Hears what becomes of the router of one node.</summary>
internal sealed class Diary(string node, ChannelWriter<(string Node, RouterState State)> states) : INotifier
{
    #region events
    public async ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
    {
        if (notice is RouterPriorityChanged priority) Console.WriteLine($"{node}: priority {priority.From} -> {priority.To}: {priority.Cause}");
        if (notice is not RouterStateChanged change) return;
        Console.WriteLine($"{node}: {change.From} -> {change.To}: {change.Cause}");
        await states.WriteAsync((node, change.To), ct);
    }
    #endregion
}
