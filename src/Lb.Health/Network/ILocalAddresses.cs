using System.Net;

namespace Lb.Health;

/// <summary>The addresses on the interfaces of this node. Any thread.</summary>
internal interface ILocalAddresses : IDisposable
{
    /// <summary>Reads them anew; IPv6 addresses without their scope.</summary>
    IReadOnlySet<IPAddress> Read();

    /// <summary>Calls back after each change, on any thread, until disposed. Once.</summary>
    void Follow(Action changed);
}
