namespace Lb;

/// <summary>
/// A policy that goes by something else than <see cref="PickHash"/>: what has to come to the same server must come to the same level and zone first.
/// </summary>
internal interface IKeyedPolicy
{
    /// <returns>False when the pick has no such key. Need not be well mixed. Must not allocate.</returns>
    bool TryGetKey(in PickContext context, out ulong key);
}
